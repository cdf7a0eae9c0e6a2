use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::header,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tower::ServiceExt as _;

use super::{
    ApiError,
    body::{Patience, Until, Upload},
    connections::{Connections, Pulse},
    stream::WriteTimeout,
    streams::is_stream,
};

/// How long and how many.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at once. For more, those make room that have kept the server waiting longest.
    pub connections: usize,
    /// How long a connection may take to send the head of a request, from when it could begin.
    pub head: Duration,
    /// How long a request's body may pause.
    pub body_pause: Duration,
    /// How long a whole body may take.
    pub body: Duration,
    /// How long the answer may take once the body is there.
    pub answer: Duration,
    /// How long a reader may take nothing of a response.
    pub write_pause: Duration,
    /// How long requests may take to end once the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(10),
            body_pause: Duration::from_secs(10),
            body: Duration::from_secs(60),
            answer: Duration::from_secs(30),
            write_pause: Duration::from_secs(20),
            grace: Duration::from_secs(5),
        }
    }
}

/// How long those are asked to wait whose request took too long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What a connection may hold of a request that is being read: its head, and a piece of its body.
const BUFFER: usize = 16 << 10;

/// A server that is bound to an address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    limits: Limits,
}

impl Server {
    /// Binds to the address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the system refuses, mostly because the port is taken.
    pub async fn bind(address: SocketAddr, limits: Limits) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, limits })
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the future completes, then lets requests under way end within the grace.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) {
        let Self { listener, limits } = self;
        let graceful = GracefulShutdown::new();
        let (stop, stopped) = watch::channel(false);
        let connections = Connections::new(limits.connections);
        let mut tasks = tokio::task::JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = async {
                let place = connections.place().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    place.pulse.waits();
                    let pulse = Arc::clone(&place.pulse);
                    let connection = connection(stream, router.clone(), limits, stopped.clone(), pulse);
                    let connection = graceful.watch(connection);
                    tasks.spawn(async move {
                        tokio::select! {
                            // A connection that fails is the client's affair.
                            _ = connection => {}
                            () = place.pulse.cut() => {}
                        }
                    });
                }
                Err(error) => {
                    // Most likely there are no file descriptors left; connections that end give some back.
                    tracing::warn!(%error, "cannot accept a connection");
                    drop(place);
                    connections.cut_longest_waiting();
                    sleep(Duration::from_millis(50)).await;
                }
            }
            while tasks.try_join_next().is_some() {}
        }
        drop(listener);
        stop.send_replace(true);
        if timeout(limits.grace, graceful.shutdown()).await.is_err() {
            tracing::warn!(open = tasks.len(), "connections were cut off");
        }
    }
}

fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    stopped: watch::Receiver<bool>,
    pulse: Arc<Pulse>,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    // Without this, small responses wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let patience = Patience { pause: limits.body_pause, whole: limits.body };
    let output = WriteTimeout::new(stream, limits.write_pause, Arc::clone(&pulse));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, stopped, pulse) = (router.clone(), stopped.clone(), Arc::clone(&pulse));
        async move {
            pulse.works();
            let held_back = request.headers().contains_key(header::EXPECT);
            let upload = |body| Body::new(Upload::new(body, held_back, patience, Arc::clone(&pulse)));
            let request = request.map(upload);
            let response = answer(router, request, limits.body + limits.answer, stopped).await;
            // A stream waits for what happens here, and the next request of any other for its client.
            if !is_stream(response.headers()) {
                pulse.waits();
            }
            Ok::<_, Infallible>(response)
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(output), service)
}

async fn answer(
    router: Router,
    request: Request,
    limit: Duration,
    mut stopped: watch::Receiver<bool>,
) -> Response {
    let Ok(Ok(response)) = timeout(limit, router.oneshot(request)).await else {
        return ApiError::overloaded(RETRY_AFTER).into_response();
    };
    if !is_stream(response.headers()) {
        return response;
    }
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    response.map(|body| Body::new(Until { body, stop: Box::pin(stop) }))
}
