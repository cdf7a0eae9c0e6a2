//! Which part of a returned value is an error, and what the error says, decided as in `dispatch`.

use std::{
    convert::Infallible,
    error::Error,
    fmt::{Debug, Display},
    io,
};

use super::{Outcome, limits::Limits, text};

/// A returned value whose `Result` is looked for.
pub struct Splitter<'a, T: ?Sized>(pub &'a T);

/// A `Result`, by whatever alias.
pub trait SplitResult<'a> {
    /// What it holds when it is `Ok`.
    type Value: ?Sized + 'a;
    /// What it holds when it is `Err`.
    type Failure: ?Sized + 'a;
    /// References to either.
    fn __staso_split(&self) -> Result<&'a Self::Value, &'a Self::Failure>;
}

/// Any other value: it is the result.
pub trait SplitAny<'a> {
    /// The value itself.
    type Value: ?Sized + 'a;
    /// Always a value.
    fn __staso_split(&self) -> Result<&'a Self::Value, &'a Infallible>;
}

impl<'a, T, E> SplitResult<'a> for &Splitter<'a, Result<T, E>> {
    type Value = T;
    type Failure = E;

    #[inline]
    fn __staso_split(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

impl<'a, T: ?Sized> SplitAny<'a> for Splitter<'a, T> {
    type Value = T;

    #[inline]
    fn __staso_split(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

/// An error that is about to be recorded.
pub struct Failure<'a, E: ?Sized>(pub &'a E);

macro_rules! tiers {
    ($($(#[$doc:meta])+ $name:ident;)+) => {
        $($(#[$doc])+
        pub trait $name {
            /// Records it.
            fn __staso_record(&self, outcome: Outcome<'_>);
        })+
    };
}

tiers! {
    /// First choice: an error behind `anyhow::Error` or a box that is sent between threads.
    FailShared;
    /// An error in a plain box.
    FailBoxed;
    /// The one error that says of itself that it is a timeout.
    FailIo;
    /// Any other error. Not only those that borrow nothing: the compiler chooses without looking at
    /// lifetimes, and would then refuse the others.
    FailError;
    /// `Display` gives a text.
    FailDisplay;
    /// `Debug` gives a text.
    FailDebug;
    /// Last choice: the name of the type.
    FailName;
}

impl<E: AsRef<dyn Error + Send + Sync> + ?Sized> FailShared for &&&&&&Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |limits| {
            let error: &(dyn Error + 'static) = self.0.as_ref();
            Told { text: chain(error, limits), is_timeout: is_timeout(error) }
        });
    }
}

impl<E: AsRef<dyn Error> + ?Sized> FailBoxed for &&&&&Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |limits| {
            let error: &(dyn Error + 'static) = self.0.as_ref();
            Told { text: chain(error, limits), is_timeout: is_timeout(error) }
        });
    }
}

impl FailIo for &&&&Failure<'_, io::Error> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<io::Error>(), |limits| Told {
            text: chain(self.0, limits),
            is_timeout: is_timed_out(self.0),
        });
    }
}

impl<E: Error + ?Sized> FailError for &&&Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |limits| {
            let mut text = text::display_text(self.0, limits);
            add_causes(&mut text, || self.0.source(), limits);
            Told { text, is_timeout: type_name::<E>() == ELAPSED }
        });
    }
}

impl<E: Display + ?Sized> FailDisplay for &&Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |limits| Told::text(text::display_text(self.0, limits)));
    }
}

impl<E: Debug + ?Sized> FailDebug for &Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |limits| Told::text(text::debug_text(self.0, limits)));
    }
}

impl<E: ?Sized> FailName for Failure<'_, E> {
    #[cold]
    fn __staso_record(&self, outcome: Outcome<'_>) {
        outcome.fail(type_name::<E>(), |_| Told::text(text::short_type_name(type_name::<E>()).into()));
    }
}

/// What an error says of itself.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) is_timeout: bool,
}

impl Told {
    fn text(text: String) -> Self {
        Self { text, is_timeout: false }
    }
}

fn type_name<T: ?Sized>() -> &'static str {
    std::any::type_name::<T>()
}

/// Its name says it all, and naming the type would need a dependency on tokio.
const ELAPSED: &str = "tokio::time::error::Elapsed";

fn is_timed_out(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// Behind anyhow or a box only `io::Error` can be recognized, and it may be wrapped in context.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(is_timed_out)
}

/// As many as are followed: a chain of sources could be a circle.
const MOST_SOURCES: usize = 16;

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source()).take(MOST_SOURCES)
}

fn chain(error: &(dyn Error + 'static), limits: &Limits) -> String {
    let mut text = text::display_text(error, limits);
    add_causes(&mut text, || error.source(), limits);
    text
}

/// Adds behind colons the text of each source that is not quoted already. A `source` of the user's may
/// panic: what was read so far stays.
fn add_causes<'a>(
    text: &mut String,
    source: impl FnOnce() -> Option<&'a (dyn Error + 'static)>,
    limits: &Limits,
) {
    let _ = super::guarded(|| {
        for source in source().into_iter().flat_map(sources) {
            if text.len() >= limits.bytes {
                break;
            }
            let cause = text::display_text(source, limits);
            if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
    });
}

/// Records the outcome of a function from a reference to what it returned.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_outcome {
    ($value:expr, $outcome:expr) => {{
        use $crate::__private::{
            CaptureDebug as _, CaptureDisplay as _, CaptureJson as _, CaptureLock as _, CaptureName as _,
            CaptureText as _, FailBoxed as _, FailDebug as _, FailDisplay as _, FailError as _, FailIo as _,
            FailName as _, FailShared as _, SplitAny as _, SplitResult as _,
        };
        let __staso_outcome = $outcome;
        match (&&$crate::__private::Splitter($value)).__staso_split() {
            ::core::result::Result::Ok(__staso_value) => {
                (&&&&&&$crate::__private::Probe(__staso_value)).__staso_capture(__staso_outcome.result())
            }
            ::core::result::Result::Err(__staso_error) => {
                (&&&&&&&$crate::__private::Failure(__staso_error)).__staso_record(__staso_outcome)
            }
        }
    }};
}

/// As `outcome!`, for what a future or stream gives: the texts of a stream are joined.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_given {
    ($value:expr, $outcome:expr) => {{
        use $crate::__private::{
            CaptureDebug as _, CaptureDisplay as _, CaptureJson as _, CaptureLock as _, CaptureName as _,
            CaptureText as _, FailBoxed as _, FailDebug as _, FailDisplay as _, FailError as _, FailIo as _,
            FailName as _, FailShared as _, NoPiece as _, SplitAny as _, SplitResult as _, TextPiece as _,
        };
        let __staso_outcome = $outcome;
        match (&&$crate::__private::Splitter($value)).__staso_split() {
            ::core::result::Result::Ok(__staso_value) => {
                if let ::core::option::Option::Some(__staso_outcome) =
                    __staso_outcome.join(|| (&&$crate::__private::Piece(__staso_value)).__staso_text())
                {
                    (&&&&&&$crate::__private::Probe(__staso_value)).__staso_capture(__staso_outcome.result())
                }
            }
            ::core::result::Result::Err(__staso_error) => {
                (&&&&&&&$crate::__private::Failure(__staso_error)).__staso_record(__staso_outcome)
            }
        }
    }};
}

/// Records an error from a reference to it.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_fail {
    ($error:expr, $outcome:expr) => {{
        use $crate::__private::{
            FailBoxed as _, FailDebug as _, FailDisplay as _, FailError as _, FailIo as _, FailName as _,
            FailShared as _,
        };
        (&&&&&&&$crate::__private::Failure($error)).__staso_record($outcome)
    }};
}

/// As `outcome!`, without capturing a value that is not an error.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_errors_only {
    ($value:expr, $outcome:expr) => {{
        use $crate::__private::{
            FailBoxed as _, FailDebug as _, FailDisplay as _, FailError as _, FailIo as _, FailName as _,
            FailShared as _, SplitAny as _, SplitResult as _,
        };
        let __staso_outcome = $outcome;
        match (&&$crate::__private::Splitter($value)).__staso_split() {
            ::core::result::Result::Ok(_) => __staso_outcome.pass(),
            ::core::result::Result::Err(__staso_error) => {
                (&&&&&&&$crate::__private::Failure(__staso_error)).__staso_record(__staso_outcome)
            }
        }
    }};
}

/// Gives its expression; an `Err` is recorded on that many of the innermost spans.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_observe {
    ($value:expr, $spans:expr) => {
        // A `match`, so that temporaries of the expression live as long as they did.
        match $value {
            __staso_value => {
                $crate::__staso_errors_only!(
                    &__staso_value,
                    $crate::__private::Outcome::of_innermost($spans)
                );
                __staso_value
            }
        }
    };
}

/// What `?` takes, whatever is in it.
pub trait Step {
    /// The error's type, when it is one.
    fn failure(&self) -> Option<&'static str>;
}

impl<T, E> Step for Result<T, E> {
    fn failure(&self) -> Option<&'static str> {
        self.as_ref().err().map(|_| type_name::<E>())
    }
}

impl<T> Step for Option<T> {
    fn failure(&self) -> Option<&'static str> {
        None
    }
}

/// As `observe!`, where the type of the error follows from what the value is used for, as in
/// `let n: u8 = text.parse()?`: asking what that type can do would stop inference.
pub fn observe_type<S: Step>(step: S, spans: usize) -> S {
    if let Some(name) = step.failure() {
        Outcome::of_innermost(spans).fail(name, |_| Told::text(text::short_type_name(name).into()));
    }
    step
}
