//! The promises of the lab, kept by the real programs over real sockets.

mod endings;
mod experiments;
mod lessons;
mod span_contract;
