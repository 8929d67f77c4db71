//! The node that a command is about.

use timeweft::NodeKey;
use timeweft::read::ExternalId;

/// Names one node.
#[derive(clap::Args, Debug)]
pub(crate) struct NodeArgs {
    /// Type of the node.
    #[arg(value_name = "TYPE")]
    node_type: String,
    /// Id of the node within its type.
    id: String,
}

impl NodeArgs {
    pub(crate) fn key(&self) -> NodeKey {
        NodeKey::new(&self.node_type, ExternalId::from(self.id.as_str()))
    }
}
