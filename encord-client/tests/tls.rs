//! Nobody can pose as the platform: certificates are checked, and nothing is sent before they are.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "reqwest")]

use std::sync::Arc;

use encord_client::{Client, Download, PrivateKey, RetryPolicy, SignedUrl};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// A server whose certificate nobody vouches for. It ends with the number of bytes it was sent in confidence.
async fn impostor() -> (String, tokio::task::JoinHandle<usize>) {
    let certificate = CertificateDer::from(&include_bytes!("golden/self_signed.der")[..]);
    let key = PrivatePkcs8KeyDer::from(&include_bytes!("golden/self_signed_key.der")[..]);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut told = Vec::new();
        if let Ok(mut stream) = acceptor.accept(stream).await {
            let _ = stream.read_buf(&mut told).await;
        }
        told.len()
    });
    (url, served)
}

fn client(domain: &str) -> Client {
    let keys: serde_json::Value = serde_json::from_str(include_str!("golden/keys.json")).unwrap();
    let key = PrivateKey::from_openssh(keys["plain"].as_str().unwrap(), None).unwrap();
    Client::builder().private_key(key).domain(domain).retry(RetryPolicy::never()).build().unwrap()
}

#[tokio::test]
async fn requests_are_not_sent_to_a_server_nobody_vouches_for() {
    let (url, served) = impostor().await;
    let error = client(&url).bearer_token().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(served.await.unwrap(), 0);
}

#[tokio::test]
async fn neither_are_downloads() {
    let (url, served) = impostor().await;
    let folder = tempfile::tempdir().unwrap();
    let link = SignedUrl::new(format!("{url}/file?signature=secret"));
    let download =
        client("https://api.encord.com").download(Download::new(link), folder.path().join("file")).await;
    let error = download.unwrap_err();
    assert!(error.to_string().contains("certificate") && !error.to_string().contains("secret"), "{error}");
    assert_eq!(served.await.unwrap(), 0);
}
