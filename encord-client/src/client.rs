//! The client itself, and how it is set up.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use uuid::Uuid;

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::key::{BearerToken, PrivateKey};
use crate::retry::RetryPolicy;
use crate::timeout::Timeouts;
use crate::transport::Transport;

/// The domain used when none is given.
pub const DEFAULT_DOMAIN: &str = "https://api.encord.com";

/// A signed connection to the platform. Cloning is cheap and shares the connections.
///
/// ```no_run
/// # async fn example() -> Result<(), encord_client::Error> {
/// use encord_client::{Client, PrivateKey};
///
/// // Settings from ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN ...
/// let client = Client::from_env()?;
/// // ... or by hand.
/// let key = PrivateKey::from_file("~/.ssh/encord", Some("a passphrase"))?;
/// let client = Client::builder().private_key(key).domain("https://api.us.encord.com").build()?;
///
/// let project = client.project("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse().unwrap()).await?;
/// for stage in project.stages() {
///     println!("{} {}", stage.uuid, stage.title);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// Scheme, host and path prefix, without a slash at the end.
    pub(crate) domain: String,
    pub(crate) path_prefix: String,
    pub(crate) credentials: Credentials,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) user_agent: HeaderValue,
    pub(crate) trace_id: Option<Uuid>,
    /// Largest answer held in memory, in bytes.
    pub(crate) answer_limit: u64,
}

pub(crate) enum Credentials {
    Key(Box<PrivateKey>),
    Bearer(BearerToken),
}

impl Client {
    /// Starts setting up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with the settings of the environment.
    ///
    /// | Variable | Meaning |
    /// |---|---|
    /// | `ENCORD_SSH_KEY` | text of an Ed25519 private key in OpenSSH format |
    /// | `ENCORD_SSH_KEY_FILE` | path of such a key; a missing file is an error even if the other variable is set |
    /// | `ENCORD_DOMAIN` | domain of the region, `https://api.encord.com` if unset or empty |
    ///
    /// If both key variables are set, `ENCORD_SSH_KEY` wins and a warning is logged. This is the rule of the
    /// platform's `encord-agents` package; its plain `encord` package prefers the file and ignores the domain.
    ///
    /// # Errors
    /// [`Error::Key`] if there is no usable key, [`Error::Configuration`] if the domain is not an address.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self> {
        Self::builder().settings_from_env()?.build()
    }

    /// The domain this client talks to, without a slash at the end.
    pub fn domain(&self) -> &str {
        &self.inner.domain
    }

    /// The limits on waiting in force.
    pub fn timeouts(&self) -> &Timeouts {
        &self.inner.timeouts
    }

    /// The trace id for a call: the fixed one, or a new one.
    pub(crate) fn trace_id(&self) -> String {
        self.inner.trace_id.unwrap_or_else(Uuid::new_v4).simple().to_string()
    }

    /// Tells the calls of one trace apart; without a fixed trace id the trace does so.
    pub(crate) fn span_id(&self) -> u64 {
        if self.inner.trace_id.is_some() { Uuid::new_v4().as_u64_pair().1 } else { 1 }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("domain", &self.inner.domain).finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
#[derive(Default)]
#[must_use]
pub struct ClientBuilder {
    domain: Option<String>,
    credentials: Option<Credentials>,
    transport: Option<Arc<dyn Transport>>,
    retry: RetryPolicy,
    timeouts: Timeouts,
    user_agent_suffix: Option<String>,
    trace_id: Option<Uuid>,
    answer_limit: Option<u64>,
}

impl ClientBuilder {
    /// Signs requests with this key.
    pub fn private_key(mut self, key: PrivateKey) -> Self {
        self.credentials = Some(Credentials::Key(Box::new(key)));
        self
    }

    /// Sends this token instead of signing requests.
    pub fn bearer_token(mut self, token: BearerToken) -> Self {
        self.credentials = Some(Credentials::Bearer(token));
        self
    }

    /// The platform's domain with scheme, for instance `https://api.us.encord.com`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Key and domain from the environment; see [`Client::from_env`]. Settings made before and after stay.
    ///
    /// # Errors
    /// [`Error::Key`] if there is no usable key.
    pub fn settings_from_env(mut self) -> Result<Self> {
        let environment = Environment::of_process();
        if self.credentials.is_none() {
            self.credentials = Some(Credentials::Key(Box::new(environment.private_key()?)));
        }
        self.domain = self.domain.or_else(|| environment.domain().map(str::to_owned));
        Ok(self)
    }

    /// Adds `product[/version]` words to the user agent, separated by blanks.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Sends all requests of this client under one trace id, by which the platform's support can find them.
    pub fn trace_id(mut self, id: Uuid) -> Self {
        self.trace_id = Some(id);
        self
    }

    /// Limits on waiting.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How failed requests are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Refuses answers of more bytes than this, which are held in memory as a whole. Default: 1 GiB, enough for a
    /// thousand label rows of a megabyte each. Downloads have a limit of their own, see
    /// [`Download::with_limit`](crate::Download::with_limit).
    pub fn answer_limit(mut self, bytes: u64) -> Self {
        self.answer_limit = Some(bytes);
        self
    }

    /// Replaces the way requests are sent.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Checks the settings and makes the client. No request is sent.
    ///
    /// # Errors
    /// [`Error::Key`] without credentials, [`Error::Configuration`] for an unusable domain or user agent, or
    /// without a transport when the feature `reqwest` is off.
    pub fn build(self) -> Result<Client> {
        let credentials = self.credentials.ok_or(crate::key::KeyError::Missing)?;
        let (domain, path_prefix) = parse_domain(self.domain.as_deref().unwrap_or(DEFAULT_DOMAIN))?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&self.timeouts)?,
        };
        let inner = Inner {
            domain,
            path_prefix,
            credentials,
            transport,
            retry: self.retry,
            timeouts: self.timeouts,
            user_agent: user_agent(self.user_agent_suffix.as_deref())?,
            trace_id: self.trace_id,
            answer_limit: self.answer_limit.unwrap_or(crate::call::MAX_ANSWER),
        };
        Ok(Client { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("domain", &self.domain).finish_non_exhaustive()
    }
}

#[cfg(feature = "reqwest")]
fn default_transport(timeouts: &Timeouts) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(crate::transport::ReqwestTransport::new(timeouts.connect)?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(_: &Timeouts) -> Result<Arc<dyn Transport>> {
    Err(Error::Configuration(
        "no transport: enable the feature \"reqwest\" of encord-client, or set one with ClientBuilder::transport"
            .to_owned(),
    ))
}

/// The domain without trailing slashes, and the path it contains (usually none).
fn parse_domain(domain: &str) -> Result<(String, String)> {
    let refuse = |reason: &str| {
        let shown = crate::redact::without_query(domain);
        Error::Configuration(format!(
            "the domain {shown:?} {reason}; expected something like {DEFAULT_DOMAIN}"
        ))
    };
    let domain = domain.trim().trim_end_matches('/');
    let url = url::Url::parse(domain).map_err(|error| refuse(&format!("is no address ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("must begin with https:// (or http:// for a local server)"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refuse("has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Configuration("the domain must not contain a user name or password".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must not have a query or fragment"));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    Ok((format!("{}{prefix}", url.origin().ascii_serialization()), prefix))
}

fn user_agent(suffix: Option<&str>) -> Result<HeaderValue> {
    let mut agent = concat!("encord-client-rust/", env!("CARGO_PKG_VERSION")).to_owned();
    for word in suffix.unwrap_or_default().split_ascii_whitespace() {
        let mut parts = word.split('/');
        let valid = parts.clone().count() <= 2 && parts.all(is_token);
        if !valid {
            return Err(Error::Configuration(format!(
                "the user agent suffix {word:?} must have the form product or product/version"
            )));
        }
        agent.push(' ');
        agent.push_str(word);
    }
    HeaderValue::from_str(&agent).map_err(|_| Error::Configuration("the user agent is not ASCII".to_owned()))
}

/// A token as HTTP defines it.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_checked_and_trimmed() {
        let check = |domain: &str, expected: &str| {
            let text = match parse_domain(domain) {
                Ok((domain, prefix)) => format!("{domain} + {prefix:?}"),
                Err(error) => error.to_string(),
            };
            assert!(text.contains(expected), "{domain}: {text}");
        };
        check("https://api.encord.com//", r#"https://api.encord.com + """#);
        check("http://127.0.0.1:8080", r#"http://127.0.0.1:8080 + """#);
        check("https://proxy/encord/", r#"https://proxy/encord + "/encord""#);
        check("api.encord.com", "is no address");
        check("ftp://api.encord.com", "must begin with https://");
        check("https://a:b@api.encord.com", "must not contain a user name");
        check("", "is no address");
    }

    #[test]
    fn user_agent_suffixes_are_checked() {
        let plain = user_agent(None).unwrap();
        assert!(plain.to_str().unwrap().starts_with("encord-client-rust/"));
        assert!(user_agent(Some("  a/1.0 b ")).unwrap().to_str().unwrap().ends_with(" a/1.0 b"));
        for wrong in ["a/b/c", "(x)", "a/", "é"] {
            assert!(user_agent(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
