"""Makes signatures.json and keys.json with the platform's own Python package (encord 0.1.211).

Run it as `python make.py` in an environment that has the package and `bcrypt`. It prepares requests the way the package does
and records what it signed; nothing is sent.
"""

import json
import pathlib
from unittest import mock

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.configs import SshConfig

SEED = bytes(range(1, 33))
CREATED = 1_700_000_000
FOLDER = pathlib.Path(__file__).parent

V1 = [
    '{"query_type": "project", "query_method": "DELETE", "values": {"uid": "00000000-0000-0000-0000-000000000001", "payload": null}}',
    '{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {"data_title_eq": "\\u00e4"}}}',
    "{}",
]
V2 = [
    ("GET", "/v2/public/storage/items/00000000-0000-0000-0000-000000000002?signUrl=True", None),
    ("POST", "/v2/public/storage/folders", '{"name": "n"}'),
    ("GET", "/v2/public/projects?titleLike=clip+%26+co%25&includeOrgAccess=False", None),
    ("PATCH", "/v2/public/storage/items/patch-bulk", '{"itemPatches": {}}'),
    ("DELETE", "/v2/public/storage/folders/00000000-0000-0000-0000-000000000003", None),
]


def main() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    config = SshConfig(key, domain="https://api.encord.com")
    vectors = {"public_key": config.public_key_hex, "created": CREATED, "v1": [], "v2": []}
    for body in V1:
        headers = config.define_headers("", "project", body)
        vectors["v1"].append({"body": body, "authorization": headers["Authorization"]})
    for method, target, body in V2:
        request = requests.Request(method, "https://api.encord.com" + target, data=body).prepare()
        with mock.patch("encord.http.v2.request_signer.datetime") as clock:
            clock.now.return_value.timestamp.return_value = float(CREATED)
            signed = config.define_headers_v2(request)
        vectors["v2"].append(
            {
                "method": method,
                "target": target,
                "body": body or "",
                "content_digest": signed.headers["Content-Digest"],
                "signature_input": signed.headers["Signature-Input"],
                "signature": signed.headers["Signature"],
            }
        )
    FOLDER.joinpath("signatures.json").write_text(json.dumps(vectors, indent=1) + "\n")
    FOLDER.joinpath("keys.json").write_text(json.dumps(keys(key), indent=1) + "\n")


def keys(key: Ed25519PrivateKey) -> dict:
    """The same key in other wrappings, and keys of other kinds. All of them are worthless outside the tests."""
    pem, openssh = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
    plain = serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"open sesame")
    other = {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    }
    wrapped = {name: one.private_bytes(pem, openssh, plain).decode() for name, one in other.items()}
    wrapped["plain"] = key.private_bytes(pem, openssh, plain).decode()
    wrapped["encrypted"] = key.private_bytes(pem, openssh, locked).decode()
    wrapped["pkcs8"] = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()
    wrapped["public"] = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ).decode()
    return wrapped


if __name__ == "__main__":
    main()
