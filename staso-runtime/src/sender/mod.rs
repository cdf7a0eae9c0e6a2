//! The thread that takes spans out of the queue and has them delivered.

mod announce;
mod batching;
mod clock;
mod handle;
mod request;
mod retry;
mod unfinished;
mod worker;

pub(crate) use clock::Waiting;
pub(crate) use handle::{Asked, SenderHandle, Spawn, Waited, spawn_thread};
pub(crate) use worker::Schedule;

use crate::{
    annotation::{Annotation, AnnotationValue},
    diagnostics,
    queue::Item,
    recorder::{self, Recorder},
};

impl Item for Annotation {
    fn size(&self) -> u64 {
        let value = match self.value() {
            AnnotationValue::Category(category) => category.len(),
            _ => 0,
        };
        let texts = self.name().len() + value + self.comment_text().map_or(0, str::len);
        (size_of::<Self>() + texts) as u64
    }
}

/// Hands an annotation over, or counts it as rejected.
pub(crate) fn annotate(recorder: &'static Recorder, annotation: Annotation) {
    // The child of a fork delivers what it says of its parent's spans by a client of its own.
    let recorder = if recorder.is_inherited() { recorder::current() } else { Some(recorder) };
    let Some(recorder) = recorder else { return };
    let Some(intake) = recorder.intake() else { return };
    let annotation = annotation.cut(recorder.limits.bytes);
    if let Some(fault) = annotation.fault() {
        intake.annotations.reject(crate::export::FailureKind::MalformedResponse);
        diagnostics::annotation_refused(fault);
        return;
    }
    // A rejection is counted by the queue and logged by the sender.
    let _ = intake.annotations.push(annotation);
}
