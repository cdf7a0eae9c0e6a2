#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) depth: u16,
    pub(crate) stack: usize,
}
impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 65536, depth: 64, stack: 131072 }
    }
}
