"""The real package signs known requests with a known key; both our sides keep these values as test vectors."""

import hashlib
from datetime import datetime
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.configs import SshConfig
from encord.http.v2 import request_signer
from requests import Request

from checks import check_alone, equal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664"


@check_alone("signatures: v1 vector")
def v1() -> None:
    body = (
        '{"query_type": "project", "query_method": "DELETE", '
        '"values": {"uid": "00000000-0000-0000-0000-000000000001", "payload": null}}'
    )
    headers = SshConfig(KEY).define_headers("", "", body)
    expected = (
        "85655c81cd918dffd56d4453ca7f68fc36e857d6eeb4120ce8ae4522cf2e0549"
        "295f03173a5a48bb495ee213f6bbf99e57c22e345e6cc3a70c881f06cc837a0b"
    )
    equal(headers["Authorization"], f"{PUBLIC}:{expected}", "v1 signature")
    KEY.public_key().verify(bytes.fromhex(expected), hashlib.sha256(body.encode()).digest())


@check_alone("signatures: v2 vectors")
def v2() -> None:
    fixed = mock.Mock(wraps=datetime)
    fixed.now.return_value = datetime.fromtimestamp(1700000000)
    cases = [
        (
            Request(
                "GET",
                "https://api.encord.com/v2/public/storage/items/00000000-0000-0000-0000-000000000002",
                params={"signUrl": True},
            ),
            "encord-sig=:jiHEOrJrDduyKZLHL7PuzFlHMfUKd1IO/wCDnUe1YW487IEJQaQJyytU80fSRxC+5nJFRyF7wAsC2OcIyr7EAQ==:",
        ),
        (
            Request("POST", "https://api.encord.com/v2/public/storage/folders", json={"name": "n"}),
            "encord-sig=:iJTabuJ0uqwlAZE27LMscxcCUKwULbz+w6vWt9OA7c9uP3Hj5yUrhbuArLzEy3Uq/vvNWN6xaxf4Pj3u2xpKBg==:",
        ),
    ]
    for request, expected in cases:
        with mock.patch.object(request_signer, "datetime", fixed):
            signed = request_signer.sign_request(request.prepare(), PUBLIC, KEY)
        equal(signed.headers["Signature"], expected, f"v2 signature of {request.method}")
