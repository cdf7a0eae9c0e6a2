//! Instruments of the integration tests.
//!
//! Every test binary compiles this module for itself and uses a part of it.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses a part")]

pub mod server;
