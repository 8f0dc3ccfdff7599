//! What concerns the user behind the key.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Result;
use crate::key::BearerToken;

impl Client {
    /// Trades the key for a token that works for some time without it.
    ///
    /// # Errors
    /// [`Error::Authentication`](crate::Error::Authentication) if the platform does not know the key.
    pub async fn bearer_token(&self) -> Result<BearerToken> {
        #[derive(Deserialize)]
        struct Token {
            token: String,
        }
        let Token { token } = self.v2_get("/v2/public/user/bearer-token".to_owned()).await?;
        Ok(BearerToken::new(token))
    }
}
