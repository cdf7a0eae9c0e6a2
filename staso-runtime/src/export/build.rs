use super::{Batch, Export, ExportError, exporter::Choice};
use crate::config::{InitError, Settings};
pub(crate) struct Nowhere;
impl Export for Nowhere {
    fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}
pub(crate) fn build(s: &mut Settings) -> Result<Box<dyn Export>, InitError> {
    match std::mem::replace(&mut s.exporter, super::Exporter::none()).0 {
        Choice::Custom(c) => Ok(c),
        _ => Ok(Box::new(Nowhere)),
    }
}
