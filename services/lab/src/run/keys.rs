//! What the inventory has decided under idempotency keys.

use campuscafe_api::inventory::{Key, Keys};
use campuscafe_service::ExitError;
use reqwest::{Client, Url};

use super::Runner;
use crate::http::{self, at, unreachable};

/// What was decided under a key, if the inventory remembers it.
///
/// # Errors
///
/// When the inventory gives no answer that can be used.
pub(crate) async fn find_key(
    http: &Client,
    inventory: &Url,
    key: &str,
) -> Result<Option<Key>, ExitError> {
    let Some(before) = just_before(key) else { return Ok(None) };
    let mut url = at(inventory, "/inventory/keys")?;
    url.query_pairs_mut().append_pair("limit", "1").append_pair("after", before);
    let answer = http::get(http, inventory, url.as_str()).await?;
    let keys: Keys = answer.json().await.map_err(|error| unreachable(inventory, &error))?;
    Ok(keys.keys.into_iter().find(|found| found.key == key))
}

/// What is sorted before a key, with none of an order between them: its own beginning. The
/// keys are listed in the order of their bytes.
pub(super) fn just_before(key: &str) -> Option<&str> {
    let last = key.chars().next_back()?;
    key.strip_suffix(last).filter(|before| !before.is_empty())
}

impl Runner {
    /// What was decided under these keys, as far as the inventory remembers them.
    pub(super) async fn keys(&self, keys: &[String]) -> Result<Vec<Key>, ExitError> {
        let mut found = Vec::new();
        for key in keys {
            found.extend(find_key(&self.http, &self.inventory, key).await?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_key_is_sorted_before_it() {
        for key in ["order-019ad4c1f4007b4f8f9a3b1c2d3e4f50", "ab"] {
            assert!(just_before(key).is_some_and(|before| before < key), "{key}");
        }
        assert_eq!(just_before("a"), None);
        assert_eq!(just_before(""), None);
    }
}
