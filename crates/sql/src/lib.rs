//! SQL over graphs: DataFusion with the tables of a graph, as of any time and any commit.
//!
//! A [`Session`] asks [`Views`], which is a graph behind a lock, or one view ([`Pinned`]). Its [`Settings`] say as of when
//! tables are read where a query does not; its [`Limits`] how much a query may take. An [`Answer`] gives record batches, to
//! whoever iterates and to asynchronous callers. What the engine would leave out in silence is an error ([`Error::Clause`]).
//!
//! | in a query | is |
//! |---|---|
//! | `nodes`, `edges`, `merges`, `events`, `loads` | views |
//! | `"user"`, `"user.buys.item"` | the nodes of a type, the edges of a relation, with features as columns |
//! | `nodes TIMESTAMP AS OF '2016-06-01'` | as of a valid time |
//! | `nodes VERSION AS OF 2`, `nodes FOR SYSTEM_TIME AS OF 2` | as of a commit |
//! | `neighbors('user', 1, at => '2016-06-01')` and others | table functions |
//! | `feature_at(type, id, 'age', t)` and others | scalar functions, each row at its own time |
//! | `SET timeweft.at = '2016-06-01'` | for the queries that follow |

mod answer;
mod asked;
mod clauses;
mod depth;
mod dialect;
mod error;
mod json;
mod lazy;
mod limits;
mod listing;
mod moment;
mod names;
mod planner;
mod runtime;
mod scalar;
mod scan;
mod script;
mod session;
mod settings;
mod signature;
mod views;

pub use answer::{Answer, CancelHandle, Head, Waited};
pub use error::{Error, Result};
pub use json::{ColumnKind, json_rows};
pub use limits::Limits;
pub use listing::{TableInfo, TableKind};
pub use session::Session;
pub use settings::Settings;
pub use views::{Pinned, Views};
