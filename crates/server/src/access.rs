//! Whether somebody may ask: tokens, and the sessions of browsers that they buy.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use blake3::Hash;

use crate::caller::Caller;
use crate::problem::{Code, Problem};
use crate::tokens::{Known, Refused, Tokens, TokensError, find, now, secret};

/// Seconds that a session lasts, if its token does.
const SESSION: i64 = 12 * 60 * 60;
/// Sessions at once; with one more the one that ends first goes.
const SESSIONS: usize = 10_000;

/// Who may ask a server.
pub(crate) struct Access {
    /// The file of tokens; none: nobody needs one.
    path: Option<PathBuf>,
    known: RwLock<Vec<Known>>,
    sessions: Mutex<HashMap<Hash, Session>>,
    /// Answers go over TLS.
    pub(crate) is_tls: bool,
    /// Only this machine can reach the server, so a browser's question must name it as this machine.
    pub(crate) is_local: bool,
}

/// What a browser was let in for. The cookie's own text is not kept.
struct Session {
    token: Hash,
    ends: i64,
}

/// A session that was just begun.
pub(crate) struct Begun {
    pub(crate) cookie: String,
    pub(crate) seconds: i64,
    pub(crate) caller: Caller,
}

impl Access {
    pub(crate) fn new(tokens: Option<PathBuf>, is_tls: bool, is_local: bool) -> Result<Access, TokensError> {
        let (known, sessions) = (RwLock::default(), Mutex::default());
        let access = Access { path: tokens, known, sessions, is_tls, is_local };
        access.reload()?;
        Ok(access)
    }

    pub(crate) fn needs_token(&self) -> bool {
        self.path.is_some()
    }

    /// Reads the file of tokens again; gives how many there are. If it cannot be read, those of before count on.
    pub(crate) fn reload(&self) -> Result<usize, TokensError> {
        let Some(path) = &self.path else { return Ok(0) };
        let tokens = Tokens::open(path)?;
        let known = tokens.known().map_err(|problem| TokensError::Unreadable { path: path.clone(), problem })?;
        let n = known.len();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(n)
    }

    /// Who has a token.
    pub(crate) fn bearer(&self, token: &str) -> Result<Caller, Problem> {
        Ok(self.valid(&blake3::hash(token.as_bytes()))?.0)
    }

    /// Who has a session.
    pub(crate) fn session(&self, cookie: &str) -> Result<Caller, Problem> {
        let (hash, now) = (blake3::hash(cookie.as_bytes()), now());
        let token = {
            let mut sessions = self.sessions();
            match sessions.get(&hash) {
                Some(session) if now < session.ends => session.token,
                Some(_) => {
                    sessions.remove(&hash);
                    return Err(ended());
                }
                None => return Err(ended()),
            }
        };
        Ok(self.valid(&token)?.0)
    }

    /// Begins a session for who has a token.
    pub(crate) fn begin(&self, token: &str) -> Result<Begun, Problem> {
        let (token, now) = (blake3::hash(token.as_bytes()), now());
        let (caller, expires) = self.valid(&token)?;
        let cookie = secret("").map_err(|error| Problem::new(Code::Internal, error))?;
        let ends = expires.min(now + SESSION);
        let mut sessions = self.sessions();
        sessions.retain(|_, session| now < session.ends);
        if sessions.len() >= SESSIONS {
            let first = sessions.iter().min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash);
            first.and_then(|hash| sessions.remove(&hash));
        }
        sessions.insert(blake3::hash(cookie.as_bytes()), Session { token, ends });
        Ok(Begun { cookie, seconds: ends - now, caller })
    }

    /// Ends a session.
    pub(crate) fn end(&self, cookie: &str) {
        self.sessions().remove(&blake3::hash(cookie.as_bytes()));
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who a token that counts now is for, and until when it counts.
    fn valid(&self, hash: &Hash) -> Result<(Caller, i64), Problem> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let refused = |refused| {
            let message = match refused {
                Refused::Unknown => "the token is not known".to_owned(),
                Refused::Expired(end) => format!("the token expired at {end}"),
                Refused::NotYet(from) => format!("the token is valid only from {from} on"),
            };
            Problem::new(Code::Unauthorized, message).hint("`timeweft token create` makes a token.")
        };
        let found = find(&known, hash).and_then(|at| known.get(at)).ok_or_else(|| refused(Refused::Unknown))?;
        found.check(now()).map_err(refused)?;
        let token = &found.token;
        let (name, roles, graphs) = (Some(token.name.clone()), token.roles.clone(), token.graphs.clone());
        Ok((Caller { name, roles, graphs }, found.expires))
    }
}

fn ended() -> Problem {
    Problem::new(Code::Unauthorized, "the session has ended").hint("Sign in again.")
}
