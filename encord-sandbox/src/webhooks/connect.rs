//! The way to an endpoint: plain, or encrypted with the certificate checked.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::error::Error;

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whose certificates are believed: those the system believes, and more.
#[derive(Default)]
pub(crate) struct Trust {
    more: Vec<CertificateDer<'static>>,
    /// Made when the first https endpoint is called.
    connector: OnceLock<Result<TlsConnector, String>>,
}

impl Trust {
    /// Believes the certificates of a PEM file too.
    pub(crate) fn with_file(path: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Certificates { path: path.into(), reason };
        let text = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let more: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let more = more.map_err(|error| unusable(error.to_string()))?;
        if more.is_empty() {
            return Err(unusable("it holds no certificate".into()));
        }
        Ok(Self { more, connector: OnceLock::new() })
    }

    /// Connects to the endpoint. The error says what is wrong with it.
    pub(super) async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, String> {
        let host = url.host_str().ok_or("the URL names no host")?.trim_matches(['[', ']']);
        let port = url.port_or_known_default().ok_or("the URL names no port")?;
        let encrypted = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(format!("{other} URLs cannot be called, only http and https ones")),
        };
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
        if !encrypted {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host}: {error}"))?;
        let connector = self.connector.get_or_init(|| self.connector()).clone()?;
        let stream = connector.connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| format!("no encrypted connection to {host}:{port}: {error}"))?))
    }

    fn connector(&self) -> Result<TlsConnector, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(self.more.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}
