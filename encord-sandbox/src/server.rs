//! The listening side: accepts connections, times out slow ones, closes one on
//! demand and all of them at the end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::patient::Patient;

/// A handle on the connection a request came in on.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    closing: Arc<Notify>,
    peer: IpAddr,
}

impl Connection {
    /// Closes the connection without another byte.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
    }

    /// Whether the other side is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.peer.to_canonical().is_loopback()
    }
}

/// How long the two sides of a connection may keep it waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the headers of a request.
    pub(crate) headers: Duration,
    /// For a client that does not take what is sent to it.
    pub(crate) stall: Duration,
}

/// How long requests in flight may take once the end was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` says so, then lets requests in flight finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip();
                    connections.spawn(connection(stream, peer, router.clone(), patience, stop.clone()));
                }
                Err(error) => {
                    // Typically too many open files; it passes when connections end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = asked(&mut stopped) => break,
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let handle = Connection { closing: Arc::default(), peer };
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(handle.clone());
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.headers)
        .serve_connection(TokioIo::new(Patient::new(stream, patience.stall)), service);
    tokio::pin!(http);
    let mut stopping = false;
    loop {
        tokio::select! {
            result = http.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended with an error");
                }
                break;
            }
            () = handle.closing.notified() => break,
            () = asked(&mut stop), if !stopping => {
                stopping = true;
                http.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Waits until the end was asked for; a sandbox that is gone asks for it too.
async fn asked(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
