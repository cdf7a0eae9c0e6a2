//! Gives memory back a second after it was needed. The allocators of these systems keep most of what a huge trace took.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What the allocator starts with, where `MALLOC_CONF` says nothing else: it waits so long before it gives back what
/// is free. A thread of its own does, where there can be one, so that a server that has nothing to do gives back, too.
// SAFETY: the allocator declares this name as a weak `const char *`, for programs to define. A reference to an array is
// a pointer to its first byte, and the array is constant and ends with a zero.
#[expect(unsafe_code, reason = "the allocator reads its settings from a symbol, before `main`")]
#[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
#[cfg_attr(target_os = "macos", unsafe(export_name = "_rjem_malloc_conf"))]
pub(crate) static SETTINGS: &[u8; CONF.len()] = CONF;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
const CONF: &[u8; 43] = b"background_thread:true,dirty_decay_ms:1000\0";
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
const CONF: &[u8; 20] = b"dirty_decay_ms:1000\0";
