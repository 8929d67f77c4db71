//! The file of tokens: who may ask what, from when and until when. The tokens themselves are not in it, only their hashes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blake3::Hash;
use serde::{Deserialize, Serialize};
use timeweft::{Time, TimeUnit};

use crate::caller::Role;

/// What a token begins with, so that people and scanners of secrets know it.
const PREFIX: &str = "timeweft_";

/// Why the file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// It cannot be read or written.
    #[error("{}: {source}", .path.display())]
    #[allow(missing_docs)]
    Io { path: PathBuf, source: io::Error },
    /// It is not such a file.
    #[error("{}: {problem}: correct it, or make tokens anew with `timeweft token create`", .path.display())]
    #[allow(missing_docs)]
    Unreadable { path: PathBuf, problem: String },
    /// A token of this name is there.
    #[error("there is a token `{0}` already: give another --name, or revoke it first")]
    Taken(String),
    /// There is no token of this name.
    #[error("there is no token `{name}`: {}", if .known.is_empty() { "there is none".to_owned() } else { format!("there are {}", .known.join(", ")) })]
    #[allow(missing_docs)]
    Unknown { name: String, known: Vec<String> },
    /// It would never be valid.
    #[error("the token would end at {expires}, before it begins at {not_before}")]
    #[allow(missing_docs)]
    Never { not_before: String, expires: String },
    /// A token without a role.
    #[error("a token needs a role: read, load, train or admin")]
    NoRole,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// A token as the file has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name, by which it is revoked.
    pub name: String,
    /// BLAKE3 of its text, in hexadecimal.
    pub hash: String,
    /// What it allows.
    pub roles: Vec<Role>,
    /// The graphs that it is for; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphs: Option<Vec<String>>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// From when on it is valid, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Until when it is valid, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A token to be made.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// Its name; left out, `token-1` and so on.
    pub name: Option<String>,
    /// What it allows.
    pub roles: Vec<Role>,
    /// The graphs that it is for; none: all.
    pub graphs: Option<Vec<String>>,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: Option<i64>,
    /// Until when it is valid, in seconds since 1970.
    pub expires: Option<i64>,
}

/// The tokens of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// In order of being made.
    #[serde(default, rename = "token")]
    pub list: Vec<Token>,
}

/// A token that is checked, with its times in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) token: Token,
    pub(crate) hash: Hash,
    not_before: i64,
    pub(crate) expires: i64,
}

/// Why a token does not count now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    Unknown,
    Expired(String),
    NotYet(String),
}

impl Tokens {
    /// Reads a file of tokens.
    ///
    /// # Errors
    /// If it cannot be read, or says what no token is.
    pub fn open(path: &Path) -> Result<Tokens, TokensError> {
        let text = fs::read_to_string(path).map_err(|source| TokensError::Io { path: path.into(), source })?;
        let tokens: Tokens = toml::from_str(&text)
            .map_err(|error| TokensError::Unreadable { path: path.into(), problem: error.to_string() })?;
        tokens.known().map_err(|problem| TokensError::Unreadable { path: path.into(), problem })?;
        Ok(tokens)
    }

    /// The same; none where there is no such file.
    ///
    /// # Errors
    /// As [`Tokens::open`].
    pub fn open_or_new(path: &Path) -> Result<Tokens, TokensError> {
        match Tokens::open(path) {
            Err(TokensError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Tokens::default()),
            read => read,
        }
    }

    /// Writes the file whole or not at all; others than its owner cannot read it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TokensError> {
        let failed = |source| TokensError::Io { path: path.into(), source };
        let text = toml::to_string(self).map_err(|error| failed(io::Error::other(error)))?;
        let unfinished = path.with_extension(format!("{}.partial", std::process::id()));
        let written = private(&unfinished).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let named = written.and_then(|()| fs::rename(&unfinished, path));
        named.map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            failed(error)
        })
    }

    /// Makes a token and gives its text, which is nowhere kept.
    ///
    /// # Errors
    /// If the name is taken, or the token could never be used.
    pub fn create(&mut self, new: NewToken) -> Result<(Token, String), TokensError> {
        let free = || (1..).map(|n| format!("token-{n}")).find(|name| self.named(name).is_none());
        let name = new.name.or_else(free).unwrap_or_default();
        if self.named(&name).is_some() {
            return Err(TokensError::Taken(name));
        }
        if new.roles.is_empty() {
            return Err(TokensError::NoRole);
        }
        let [not_before, expires] = [new.not_before, new.expires].map(|time| time.map(text));
        if let (Some(from), Some(until)) = (new.not_before.or(Some(now())), new.expires)
            && until <= from
        {
            let (not_before, expires) = (text(from), text(until));
            return Err(TokensError::Never { not_before, expires });
        }
        let secret = secret(PREFIX).map_err(TokensError::Random)?;
        let hash = blake3::hash(secret.as_bytes()).to_hex().to_string();
        let (roles, graphs, created) = (new.roles, new.graphs, text(now()));
        let token = Token { name, hash, roles, graphs, created, not_before, expires };
        self.list.push(token.clone());
        Ok((token, secret))
    }

    /// Takes a token out.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn revoke(&mut self, name: &str) -> Result<Token, TokensError> {
        let known = || self.list.iter().map(|token| token.name.clone()).collect();
        let unknown = || TokensError::Unknown { name: name.into(), known: known() };
        let at = self.list.iter().position(|token| token.name == name).ok_or_else(unknown)?;
        Ok(self.list.remove(at))
    }

    fn named(&self, name: &str) -> Option<&Token> {
        self.list.iter().find(|token| token.name == name)
    }

    /// The tokens with their times read.
    pub(crate) fn known(&self) -> Result<Vec<Known>, String> {
        self.list.iter().map(Known::of).collect()
    }
}

/// A file that only its owner can read.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Known {
    fn of(token: &Token) -> Result<Known, String> {
        let wrong = |what: &str| format!("token `{}`: {what}", token.name);
        let hash = Hash::from_hex(&token.hash).map_err(|error| wrong(&format!("hash: {error}")))?;
        let time = |name: &str, text: &Option<String>, open| match text {
            None => Ok(open),
            Some(text) => {
                let read = TimeUnit::Second.parse(text);
                read.map(|time| time.0).map_err(|error| wrong(&format!("{name}: {error}")))
            }
        };
        let not_before = time("not_before", &token.not_before, i64::MIN)?;
        let expires = time("expires", &token.expires, i64::MAX)?;
        if token.roles.is_empty() {
            return Err(wrong("roles: it has none"));
        }
        Ok(Known { token: token.clone(), hash, not_before, expires })
    }

    /// Whether it counts at a time.
    pub(crate) fn check(&self, now: i64) -> Result<(), Refused> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match () {
            () if now < self.not_before => Err(Refused::NotYet(text(&self.token.not_before))),
            () if now >= self.expires => Err(Refused::Expired(text(&self.token.expires))),
            () => Ok(()),
        }
    }
}

/// The token of a hash. All are compared, each in a time that does not depend on where it differs.
pub(crate) fn find(known: &[Known], hash: &Hash) -> Option<usize> {
    let mut found = None;
    for (at, token) in known.iter().enumerate() {
        if token.hash == *hash {
            found = Some(at);
        }
    }
    found
}

/// A new secret: a prefix and 32 random bytes in hexadecimal.
pub(crate) fn secret(prefix: &str) -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes.iter().fold(prefix.to_owned(), |text, byte| text + &format!("{byte:02x}")))
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn text(seconds: i64) -> String {
    TimeUnit::Second.format(Time(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_shown_once_and_its_hash_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.toml");
        let mut tokens = Tokens::open_or_new(&path).unwrap();
        let new =
            NewToken { roles: vec![Role::Read, Role::Load], graphs: Some(vec!["g".into()]), ..Default::default() };
        let (token, secret) = tokens.create(new).unwrap();
        tokens.save(&path).unwrap();
        assert_eq!((token.name.as_str(), secret.len()), ("token-1", PREFIX.len() + 64));
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&secret[PREFIX.len()..]), "{text}");
        let known = Tokens::open(&path).unwrap().known().unwrap();
        assert_eq!(find(&known, &blake3::hash(secret.as_bytes())), Some(0));
        assert_eq!(find(&known, &blake3::hash(b"timeweft_0")), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        tokens.revoke("token-1").unwrap();
        assert!(matches!(tokens.revoke("token-1"), Err(TokensError::Unknown { .. })));
    }

    #[test]
    fn a_token_counts_from_its_beginning_until_its_end() {
        let mut tokens = Tokens::default();
        let new = NewToken { roles: vec![Role::Read], not_before: Some(100), expires: Some(200), ..Default::default() };
        tokens.create(new).unwrap();
        let known = &tokens.known().unwrap()[0];
        assert_eq!(known.check(99), Err(Refused::NotYet("1970-01-01T00:01:40Z".into())));
        assert_eq!([known.check(100), known.check(199)], [Ok(()), Ok(())]);
        assert_eq!(known.check(200), Err(Refused::Expired("1970-01-01T00:03:20Z".into())));
        let never = NewToken { roles: vec![Role::Read], not_before: Some(9), expires: Some(9), ..Default::default() };
        assert!(matches!(tokens.create(never), Err(TokensError::Never { .. })));
        assert!(matches!(tokens.create(NewToken::default()), Err(TokensError::NoRole)));
    }

    #[test]
    fn what_no_token_file_is_says_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.toml");
        let hash = blake3::hash(b"x").to_hex().to_string();
        let token =
            |more: &str| format!("[[token]]\nname = \"a\"\nhash = \"{hash}\"\ncreated = \"1970-01-01\"\n{more}");
        for (text, what) in [
            ("[[token]]\nname = 1", "invalid type"),
            (&token("roles = [\"write\"]"), "unknown variant `write`"),
            (&token("roles = []"), "roles: it has none"),
            (&token("roles = [\"read\"]\nexpires = \"soon\""), "expires: `soon` is not a time"),
            (&token("roles = [\"read\"]\nexpire = \"2030-01-01\""), "unknown field `expire`"),
            (&token("roles = [\"read\"]").replace(&hash, "abc"), "hash"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Tokens::open(&path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
