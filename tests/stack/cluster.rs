//! What only a cluster can show.
