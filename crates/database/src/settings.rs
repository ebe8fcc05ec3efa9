//! What every process that uses a schema agrees on: its table `settings`, which a migration
//! of the schema makes, with a `name` and a `value`.

use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::Transaction;

const ADD: Statement = Statement::new(
    "INSERT settings",
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
);
const READ: Statement =
    Statement::new("SELECT settings", "SELECT value FROM settings WHERE name = $1");
const SET: Statement =
    Statement::new("UPDATE settings", "UPDATE settings SET value = $2 WHERE name = $1");

impl Transaction {
    /// A setting, which is `new` from now on if it was never set.
    ///
    /// # Errors
    ///
    /// When the database does not do it.
    pub async fn setting(&self, name: &str, new: &str) -> Result<String, Error> {
        self.execute(ADD, &[&name, &new]).await?;
        let row = self.query_first(READ, &[&name]).await?;
        Ok(row.map_or_else(|| new.to_owned(), |row| row.get(0)))
    }

    /// The setting `secret`, a random number that is `new` from now on if it was never set.
    ///
    /// # Errors
    ///
    /// When the database does not do it.
    pub async fn secret(&self, new: u128) -> Result<u128, Error> {
        let secret = self.setting("secret", &format!("{new:032x}")).await?;
        Ok(u128::from_str_radix(&secret, 16).unwrap_or_default())
    }

    /// Changes a setting that was set before.
    ///
    /// # Errors
    ///
    /// When the database does not do it.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), Error> {
        self.execute(SET, &[&name, &value]).await.map(|_| ())
    }
}
