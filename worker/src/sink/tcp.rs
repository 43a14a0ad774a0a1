//! `tcp://` ports as a sink: the results of all models as a read-only stream, one JSON text per line.

use std::sync::Arc;

use bytes::BufMut as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::live::{Live, MAX_READERS, Places, Reader};
use super::{Receipt, Sink};
use crate::http::{ACCEPT_PAUSE, Deadline};
use crate::metrics::Metrics;
use crate::outbound::OutboundResult;

/// See the module's description.
#[derive(Debug)]
pub struct TcpSink(Live);

impl Sink for TcpSink {
    fn accept(&self, result: &OutboundResult) -> Receipt {
        self.0.send(result, |framed, line| {
            framed.put_slice(line);
            framed.put_u8(b'\n');
        });
        Receipt::Taken
    }
}

impl TcpSink {
    /// Without readers.
    pub fn new(metrics: &Metrics) -> Self {
        Self(Live::new(metrics.stream.clone()))
    }

    /// Serves at most `places` readers of one port until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, places: usize) {
        let places = Places::new(places.min(MAX_READERS));
        let mut readers = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        if let Some(reader) = self.0.reader(&places, address.ip()) {
                            tracing::info!(%address, "Reader of results connected");
                            readers.spawn(serve(stream, reader));
                        } else {
                            tracing::warn!(%address, MAX_READERS, "Reader of results rejected, too many readers");
                        }
                    }
                    Err(error) => {
                        // Out of file descriptors, or the peer has disconnected: keep accepting.
                        tracing::warn!(%error, "Unable to accept a reader of results");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = readers.join_next() => {}
            }
        }
    }
}

async fn serve(stream: TcpStream, mut reader: Reader) {
    let (mut input, mut output) = tokio::io::split(Deadline::new(stream));
    let mut ignored = [0; 256];
    loop {
        tokio::select! {
            line = reader.next() => {
                let Some(line) = line else { return };
                let written = tokio::select! {
                    written = output.write_all(&line) => written.is_ok(),
                    () = reader.lost() => false,
                };
                if !written {
                    return;
                }
            }
            // Nothing is expected from a reader; this only notices that it left.
            read = input.read(&mut ignored) => if matches!(read, Ok(0) | Err(_)) {
                return;
            },
        }
    }
}
