//! The file itself: opened, checked, read and written in transactions.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, Durability, ReadableDatabase as _, ReadableTable as _, StorageBackend,
    TableDefinition, TableError, TableHandle as _, WriteTransaction,
};

use crate::Row;
use crate::error::{OpenError, ReadError};
use crate::overlay::{AnyBackend, Overlay};

type Bytes = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// What the store itself needs.
const OWN: Bytes = TableDefinition::new("campuscafe");
const FORMAT: &[u8] = b"format";
const COMMITS: &[u8] = b"commits";
const ROOM: &[u8] = b"room";

/// How much memory the file's pages may take. The owner has all values in memory, so it reads
/// the file at its start only; the inner pages of the trees must fit, or each commit reads them.
const CACHE: usize = 8 << 20;

/// How much room there must be before a store that failed takes rows again, in bytes. Without
/// it a full disk would be found anew by each request.
const ROOM_TO_RESUME: usize = 64 << 10;

/// Opens the file again and again, and says why it cannot.
pub(crate) type Opener = Box<dyn Fn() -> Result<AnyBackend, OpenError> + Send + Sync>;

/// An open file, or one that could not be opened again after a commit that failed.
pub(crate) struct OpenFile {
    name: String,
    format: u32,
    opener: Opener,
    database: Option<Database>,
    /// How many commits the file has seen. It is a row of each of them, so that it tells
    /// afterwards whether a commit that failed is in the file.
    commits: u64,
}

/// Why a commit was not made.
pub(crate) enum CommitFailure {
    /// The rows are not in the file.
    NotWritten(String),
    /// They may be.
    Unknown(String),
}

impl OpenFile {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Opens or creates the file in a directory.
    pub(crate) fn open(directory: &Path, name: &str, format: u32) -> Result<Self, OpenError> {
        std::fs::create_dir_all(directory)
            .map_err(|error| OpenError::directory(directory, &error))?;
        let path = directory.join(format!("{name}.redb"));
        let text = path.display().to_string();
        let shown = text.clone();
        let opener =
            move || file_backend(&path, &shown).map(|backend| AnyBackend(Box::new(backend)));
        Self::new(Box::new(opener), text, format)
    }

    /// The same in any storage.
    pub(crate) fn with_backend<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        name: &str,
        format: u32,
    ) -> Result<Self, OpenError> {
        let shown = name.to_owned();
        let opener = move || {
            let backend = backend().map_err(|error| OpenError::from_io(&shown, &error))?;
            let unfinished = || {
                let length = backend.len()?;
                let mut head = vec![0; HEAD.min(usize::try_from(length).unwrap_or(HEAD))];
                backend.read(0, &mut head)?;
                if is_unfinished(length, &head) { backend.set_len(0) } else { Ok(()) }
            };
            unfinished().map_err(|error| OpenError::from_io(&shown, &error))?;
            Ok(AnyBackend(Box::new(backend)))
        };
        Self::new(Box::new(opener), name.to_owned(), format)
    }

    fn new(opener: Opener, name: String, format: u32) -> Result<Self, OpenError> {
        let mut file = Self { name, format, opener, database: None, commits: 0 };
        file.open_again()?;
        Ok(file)
    }

    /// Closes the file and opens it again. After that it shows what is durable.
    pub(crate) fn open_again(&mut self) -> Result<(), OpenError> {
        // The lock of the file that is open would refuse the other one.
        self.database = None;
        let database = create((self.opener)()?, &self.name)?;
        self.commits = self.check(&database)?;
        self.database = Some(database);
        Ok(())
    }

    /// Whether the file is ours, and how many commits it has seen.
    fn check(&self, database: &Database) -> Result<u64, OpenError> {
        let failed = |error| OpenError::from_redb(&self.name, error);
        let found = own_rows(database).map_err(failed)?;
        match found {
            Own::Nothing => {
                self.begin(database).map_err(failed)?;
                Ok(0)
            }
            Own::Foreign => Err(OpenError::Foreign {
                file: self.name.clone(),
                reason: "another program has written it".to_owned(),
            }),
            Own::Known { format, commits } if format == self.format => Ok(commits),
            Own::Known { format: found, .. } => {
                let (file, known) = (self.name.clone(), self.format);
                Err(if found > known {
                    OpenError::Newer { file, found, known }
                } else {
                    OpenError::Older { file, found, known }
                })
            }
        }
    }

    fn begin(&self, database: &Database) -> Result<(), redb::Error> {
        let transaction = begin_write(database)?;
        transaction.open_table(OWN)?.insert(FORMAT, self.format.to_be_bytes().as_slice())?;
        Ok(transaction.commit()?)
    }

    /// Whether there is room: fails with what the disk says.
    pub(crate) fn has_room(&self) -> Result<(), OpenError> {
        let failed = |error| OpenError::from_redb(&self.name, error);
        let Some(database) = &self.database else {
            return Err(OpenError::Other {
                file: self.name.clone(),
                reason: "it is not open".to_owned(),
            });
        };
        let filled = vec![0xA5; ROOM_TO_RESUME];
        for value in [Some(filled.as_slice()), None] {
            let probe = || {
                let transaction = begin_write(database)?;
                put(&mut transaction.open_table(OWN)?, ROOM, value)?;
                Ok(transaction.commit()?)
            };
            probe().map_err(failed)?;
        }
        Ok(())
    }

    /// Shows all rows of a table, sorted by key, until `visit` fails.
    pub(crate) fn visit<E>(
        &self,
        table: &'static str,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, ReadError> {
        let failed = |reason: String| ReadError { file: self.name.clone(), reason };
        let Some(database) = &self.database else {
            return Err(failed("it is not open".to_owned()));
        };
        let mut read = || -> Result<Result<(), E>, redb::Error> {
            let transaction = database.begin_read()?;
            let table: Bytes = TableDefinition::new(table);
            let table = match transaction.open_table(table) {
                Ok(table) => table,
                Err(TableError::TableDoesNotExist(_)) => return Ok(Ok(())),
                Err(error) => return Err(error.into()),
            };
            for row in table.iter()? {
                let (key, value) = row?;
                if let Err(error) = visit(key.value(), value.value()) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        };
        read().map_err(|error| failed(error.to_string()))
    }

    /// Writes rows in one transaction. They are durable when this returns.
    pub(crate) fn write<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<(), CommitFailure> {
        let not_written = |error: redb::Error| CommitFailure::NotWritten(error.to_string());
        let Some(database) = &self.database else {
            return Err(CommitFailure::NotWritten(format!("{} is not open", self.name)));
        };
        let commits = self.commits + 1;
        let transaction = transaction_of(database, rows, commits).map_err(not_written)?;
        match transaction.commit() {
            Ok(()) => {
                self.commits = commits;
                Ok(())
            }
            Err(error) => self.look_after(commits, &error.to_string()),
        }
    }

    /// A commit has failed. The file tells whether it was made all the same.
    fn look_after(&mut self, commits: u64, reason: &str) -> Result<(), CommitFailure> {
        let not_written = || Err(CommitFailure::NotWritten(reason.to_owned()));
        let error = match self.open_again() {
            Ok(()) if self.commits == commits => return Ok(()),
            Ok(()) => return not_written(),
            Err(error) => error,
        };
        // It cannot be written, and so not be repaired: a full disk. If the commit is not
        // in it, it never will be. If it is, that may still be lost.
        match self.commits_without_repair() {
            Ok(found) if found < commits => not_written(),
            Ok(_) | Err(_) => Err(CommitFailure::Unknown(format!("{reason}; {error}"))),
        }
    }

    fn commits_without_repair(&self) -> Result<u64, OpenError> {
        let failed = |error: io::Error| OpenError::from_io(&self.name, &error);
        let overlay = Overlay::new((self.opener)()?).map_err(failed)?;
        self.check(&create(overlay, &self.name)?)
    }
}

enum Own {
    Nothing,
    Foreign,
    Known { format: u32, commits: u64 },
}

fn own_rows(database: &Database) -> Result<Own, redb::Error> {
    let transaction = database.begin_read()?;
    let own = match transaction.open_table(OWN) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => {
            let empty = transaction.list_tables()?.next().is_none()
                && transaction.list_multimap_tables()?.next().is_none();
            return Ok(if empty { Own::Nothing } else { Own::Foreign });
        }
        Err(TableError::TableTypeMismatch { .. } | TableError::TableIsMultimap(_)) => {
            return Ok(Own::Foreign);
        }
        Err(error) => return Err(error.into()),
    };
    let format = own.get(FORMAT)?.and_then(|it| it.value().try_into().ok());
    let commits = own.get(COMMITS)?.and_then(|it| it.value().try_into().ok());
    Ok(match format.map(u32::from_be_bytes) {
        Some(format) => Own::Known { format, commits: commits.map_or(0, u64::from_be_bytes) },
        None => Own::Foreign,
    })
}

/// A transaction whose commit returns when the file is synced.
fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    // A transaction that was not wholly written is recognized by its checksums, so one sync is
    // enough. A second one would guard against a caller who can guess a checksum of 128 bits.
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

fn put(
    table: &mut redb::Table<'_, &'static [u8], &'static [u8]>,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), redb::StorageError> {
    match value {
        Some(value) => table.insert(key, value).map(drop),
        None => table.remove(key).map(drop),
    }
}

/// Of several rows with one key only the last is written. They are written sorted, so that
/// neighbours touch the same page.
fn transaction_of<'a>(
    database: &Database,
    rows: impl Iterator<Item = &'a Row>,
    commits: u64,
) -> Result<WriteTransaction, redb::Error> {
    let mut tables: BTreeMap<&'static str, BTreeMap<&[u8], Option<&[u8]>>> = BTreeMap::new();
    for Row { table, key, value } in rows {
        tables.entry(table).or_default().insert(key, value.as_deref());
    }
    let transaction = begin_write(database)?;
    for (name, rows) in tables {
        let table: Bytes = TableDefinition::new(name);
        debug_assert_ne!(table.name(), OWN.name(), "this table is the store's own");
        let mut table = transaction.open_table(table)?;
        for (key, value) in rows {
            put(&mut table, key, value)?;
        }
    }
    let number = commits.to_be_bytes();
    put(&mut transaction.open_table(OWN)?, COMMITS, Some(&number))?;
    Ok(transaction)
}

fn create(backend: impl StorageBackend, shown: &str) -> Result<Database, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    // All rows are read at the start, so the check costs little, and a page that was altered is
    // a sentence instead of a panic in the middle of a day.
    builder.set_check_integrity_on_open(true);
    builder.create_with_backend(backend).map_err(|error| OpenError::from_database(shown, error))
}

/// The bytes by which a file is known to be a database.
const HEAD: usize = 9;

/// Whether the process was killed while it created the file: the bytes by which a database is
/// known are written last.
fn is_unfinished(length: u64, head: &[u8]) -> bool {
    length > 0 && head.iter().all(|byte| *byte == 0)
}

fn file_backend(path: &PathBuf, shown: &str) -> Result<FileBackend, OpenError> {
    let failed = |error: io::Error| OpenError::from_io(shown, &error);
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let mut file = options.create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => discard_unfinished(&mut file).map_err(failed)?,
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { file: shown.to_owned() }),
        // Without locks the database says so itself.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    if is_new {
        sync_directory(path).map_err(failed)?;
    }
    FileBackend::new(file).map_err(|error| OpenError::from_database(shown, error))
}

/// Under the lock of the file: another process may be creating it.
fn discard_unfinished(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if is_unfinished(length, &head) {
        file.set_len(0)?;
    }
    file.unlock()
}

/// A file whose name is not durable is gone after a power cut, with all that is in it.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile")
            .field("name", &self.name)
            .field("is_open", &self.database.is_some())
            .field("commits", &self.commits)
            .finish_non_exhaustive()
    }
}
