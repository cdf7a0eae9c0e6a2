//! How a value is captured, decided by the compiler from what its type can do.
//!
//! Method resolution tries `&&&Probe` before `&&Probe` before `&Probe`: the traits are implemented for
//! one more reference the more they are preferred, so a call on `&&&&&&Probe(&value)` finds the best one
//! that the bounds in scope allow (David Tolnay's "autoref specialization"). The function that is
//! instrumented needs no bound of its own. The methods have names that no trait of the user's has.

use std::{
    fmt::{Debug, Display},
    rc::Rc,
    sync::{Arc, Mutex, RwLock},
};

use serde::Serialize;

use super::Slot;

/// A value that is about to be captured.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// First choice: a lock, also behind pointers, is never touched. Its type's name says what it is.
pub trait CaptureLock {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

/// Second choice: `Serialize` gives JSON.
pub trait CaptureJson {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

/// Third choice: `Debug` gives a text.
pub trait CaptureDebug {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

/// Fourth choice: `Display` gives a text.
pub trait CaptureDisplay {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

/// Fifth choice: what is seen as a text, is one.
pub trait CaptureText {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

/// Last choice: the name of the type.
pub trait CaptureName {
    /// Fills the slot.
    fn __staso_capture(&self, slot: Slot<'_>);
}

impl<T: Lock + ?Sized> CaptureLock for &&&&&Probe<'_, T> {
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.type_name::<T>();
    }
}

impl<T: Serialize + ?Sized> CaptureJson for &&&&Probe<'_, T> {
    #[inline]
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.json(self.0);
    }
}

impl<T: Debug + ?Sized> CaptureDebug for &&&Probe<'_, T> {
    #[inline]
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.debug(self.0);
    }
}

impl<T: Display + ?Sized> CaptureDisplay for &&Probe<'_, T> {
    #[inline]
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.display(self.0);
    }
}

impl<T: AsRef<str> + ?Sized> CaptureText for &Probe<'_, T> {
    #[inline]
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.text(self.0);
    }
}

impl<T: ?Sized> CaptureName for Probe<'_, T> {
    #[inline]
    fn __staso_capture(&self, slot: Slot<'_>) {
        slot.type_name::<T>();
    }
}

/// A type that reading could block on, or poison: serde's implementations lock, `Debug`'s try to.
pub trait Lock {}

impl<T: ?Sized> Lock for Mutex<T> {}
impl<T: ?Sized> Lock for RwLock<T> {}
impl<T: Lock + ?Sized> Lock for &T {}
impl<T: Lock + ?Sized> Lock for &mut T {}
impl<T: Lock + ?Sized> Lock for Box<T> {}
impl<T: Lock + ?Sized> Lock for Arc<T> {}
impl<T: Lock + ?Sized> Lock for Rc<T> {}
impl<T: Lock> Lock for Option<T> {}

/// Captures what a reference points at into a slot.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_capture {
    ($value:expr, $slot:expr) => {{
        use $crate::__private::{
            CaptureDebug as _, CaptureDisplay as _, CaptureJson as _, CaptureLock as _, CaptureName as _,
            CaptureText as _,
        };
        (&&&&&&$crate::__private::Probe($value)).__staso_capture($slot)
    }};
}

/// Captures the name of the type that a reference points at.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_type_name {
    ($value:expr, $slot:expr) => {
        $crate::__private::name_type($value, $slot)
    };
}

/// Fills a slot with the name of the type of a value.
pub fn name_type<T: ?Sized>(_: &T, slot: Slot<'_>) {
    slot.type_name::<T>();
}
