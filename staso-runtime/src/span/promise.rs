//! What a call may give back that goes on behind a box, found by the type of the value.
//!
//! However the return type is spelled (`BoxFuture`, an alias, `Self::Future`), the value is one of the types
//! for which [`Promise`] is implemented, or none. The compiler decides as it does in `capture/dispatch.rs`.

use std::{marker::PhantomData, pin::Pin};

use futures_core::Stream;

use super::Ending;

/// A boxed future or stream, or one inside a `Result`, an `Option` or a tuple, there at position `AT`.
pub trait Promise<const AT: usize>: Sized {
    /// What the future gives, or one item of the stream.
    type Given;

    /// The same value, followed by the span. What there is to end is given back when there is nothing to follow.
    fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
    where
        K: FnMut(Self::Given, Ending<'_>) -> Self::Given + Send + Sync + 'static;
}

macro_rules! boxed {
    ($($($auto:ident)*;)+) => {$(
        impl<'f, T: 'f> Promise<0> for Pin<Box<dyn Future<Output = T> + 'f $(+ $auto)*>> {
            type Given = T;

            fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
            where
                K: FnMut(T, Ending<'_>) -> T + Send + Sync + 'static,
            {
                if !ending.can_follow() {
                    return (self, Some(ending));
                }
                (Box::pin(ending.follow(self, end)), None)
            }
        }

        impl<'f, T: 'f> Promise<0> for Pin<Box<dyn Stream<Item = T> + 'f $(+ $auto)*>> {
            type Given = T;

            fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
            where
                K: FnMut(T, Ending<'_>) -> T + Send + Sync + 'static,
            {
                if !ending.can_follow() {
                    return (self, Some(ending));
                }
                (Box::pin(ending.follow_stream(self, end)), None)
            }
        }
    )+};
}

boxed! {
    ;
    Send;
    Sync;
    Send Sync;
}

impl<const AT: usize, T: Promise<AT>, E> Promise<AT> for Result<T, E> {
    type Given = T::Given;

    fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
    where
        K: FnMut(Self::Given, Ending<'_>) -> Self::Given + Send + Sync + 'static,
    {
        match self {
            Ok(promise) => {
                let (promise, ending) = promise.follow(ending, end);
                (Ok(promise), ending)
            }
            Err(error) => (Err(error), Some(ending)),
        }
    }
}

impl<const AT: usize, T: Promise<AT>> Promise<AT> for Option<T> {
    type Given = T::Given;

    fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
    where
        K: FnMut(Self::Given, Ending<'_>) -> Self::Given + Send + Sync + 'static,
    {
        match self {
            Some(promise) => {
                let (promise, ending) = promise.follow(ending, end);
                (Some(promise), ending)
            }
            None => (None, Some(ending)),
        }
    }
}

macro_rules! tuples {
    ($($at:literal: ($($before:ident,)* [$promise:ident] $($after:ident,)*);)+) => {$(
        #[expect(non_snake_case, reason = "each value is called as its type")]
        impl<$($before,)* $promise: Promise<0>, $($after,)*> Promise<$at>
            for ($($before,)* $promise, $($after,)*)
        {
            type Given = $promise::Given;

            fn follow<'a, K>(self, ending: Ending<'a>, end: K) -> (Self, Option<Ending<'a>>)
            where
                K: FnMut(Self::Given, Ending<'_>) -> Self::Given + Send + Sync + 'static,
            {
                let ($($before,)* $promise, $($after,)*) = self;
                let ($promise, ending) = $promise.follow(ending, end);
                (($($before,)* $promise, $($after,)*), ending)
            }
        }
    )+};
}

tuples! {
    0: ([P] B,);
    1: (A, [P]);
    0: ([P] B, C,);
    1: (A, [P] C,);
    2: (A, B, [P]);
}

/// The type of a value that was returned.
pub struct Returned<T>(PhantomData<fn() -> T>);

impl<T> Returned<T> {
    /// That of this value.
    #[inline]
    #[must_use]
    pub const fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

macro_rules! tiers {
    ($($(#[$doc:meta])+ $name:ident: $at:literal for $returned:ty;)+) => {$(
        $(#[$doc])+
        pub trait $name<T: Promise<$at>> {
            /// Follows it.
            fn __staso_follow<'a, K>(&self, value: T, ending: Ending<'a>, end: K) -> (T, Option<Ending<'a>>)
            where
                K: FnMut(T::Given, Ending<'_>) -> T::Given + Send + Sync + 'static;
        }

        impl<T: Promise<$at>> $name<T> for $returned {
            #[inline]
            fn __staso_follow<'a, K>(&self, value: T, ending: Ending<'a>, end: K) -> (T, Option<Ending<'a>>)
            where
                K: FnMut(T::Given, Ending<'_>) -> T::Given + Send + Sync + 'static,
            {
                value.follow(ending, end)
            }
        }
    )+};
}

tiers! {
    /// First choice: a promise that is no tuple, or the first of one.
    PromiseFirst: 0 for &&&Returned<T>;
    /// Second choice.
    PromiseSecond: 1 for &&Returned<T>;
    /// Third choice.
    PromiseThird: 2 for &Returned<T>;
}

/// Last choice: a value that ends the span.
pub trait NoPromise<T> {
    /// Gives back what there is to end.
    fn __staso_follow<'a, K>(&self, value: T, ending: Ending<'a>, end: K) -> (T, Option<Ending<'a>>)
    where
        K: FnMut((), Ending<'_>) + Send + Sync + 'static;
}

impl<T> NoPromise<T> for Returned<T> {
    #[inline]
    fn __staso_follow<'a, K>(&self, value: T, ending: Ending<'a>, _: K) -> (T, Option<Ending<'a>>)
    where
        K: FnMut((), Ending<'_>) + Send + Sync + 'static,
    {
        (value, Some(ending))
    }
}

/// Ends a span with a value, unless the value's type says that it goes on.
///
/// `outcome: value, ending, then, …`: every `then` is one more future or stream that may lie inside the one
/// before.
#[doc(hidden)]
#[macro_export]
macro_rules! __staso_end {
    ($write:ident: $value:expr, $ending:expr) => {
        $ending.with($value, |__staso_value, __staso_outcome| {
            $crate::__private::$write!(__staso_value, __staso_outcome)
        })
    };
    ($write:ident: $value:expr, $ending:expr, then $(, $then:ident)*) => {{
        use $crate::__private::{NoPromise as _, PromiseFirst as _, PromiseSecond as _, PromiseThird as _};
        let __staso_value = $value;
        let __staso_followed = (&&&&$crate::__private::Returned::of(&__staso_value)).__staso_follow(
            __staso_value,
            $ending,
            |__staso_value, __staso_ending| $crate::__staso_end!(
                @given $write: __staso_value, __staso_ending $(, $then)*),
        );
        match __staso_followed {
            (__staso_value, ::core::option::Option::Some(__staso_ending)) => {
                $crate::__staso_end!($write: __staso_value, __staso_ending)
            }
            (__staso_value, ::core::option::Option::None) => __staso_value,
        }
    }};
    (@given outcome: $($rest:tt)*) => {
        $crate::__staso_end!(given: $($rest)*)
    };
    (@given $write:ident: $($rest:tt)*) => {
        $crate::__staso_end!($write: $($rest)*)
    };
}
