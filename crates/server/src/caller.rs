//! Who asks, and what is allowed to them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Questions.
    Read,
    /// Loads, and taking them back.
    Load,
    /// Jobs of models.
    Train,
    /// Everything, and the numbers of the server.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Read, Role::Load, Role::Train, Role::Admin];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Load => "load",
            Role::Train => "train",
            Role::Admin => "admin",
        }
    }
}

/// Who asks. Every request has one once it has passed the guard.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The name of the token; none where none is needed.
    pub(crate) name: Option<String>,
    pub(crate) roles: Vec<Role>,
    /// The graphs; none where all are allowed.
    pub(crate) graphs: Option<Vec<String>>,
}

impl Caller {
    /// One who needs no token.
    pub(crate) fn everyone() -> Caller {
        Caller { name: None, roles: Role::ALL.to_vec(), graphs: None }
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::Admin)
    }

    /// Whether a graph may be asked.
    pub(crate) fn may_see(&self, graph: &str) -> bool {
        self.graphs.as_ref().is_none_or(|graphs| graphs.iter().any(|name| name == graph))
    }
}
