//! The backend from outside: what clients send, what hostile ones do, and who may see what.

mod access;
mod backend;
mod bodies;
mod browsers;
mod captures;
mod compressed;
mod connections;
mod faults;
mod money;
mod probes;
mod repeats;
mod secrets;
mod senders;
mod shares;
