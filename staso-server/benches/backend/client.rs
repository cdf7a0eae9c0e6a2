use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// One kept-alive connection that speaks just enough HTTP, so that the load costs little beside the server.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    key: String,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Seconds to wait, where the server asked for it.
    pub(crate) retry_after: Option<u64>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// From the first byte sent to the last byte read.
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, key: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream), key: key.to_owned() })
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {}\r\n\r\n", self.key);
        self.call(head.as_bytes(), &[])
    }

    pub(crate) fn ingest(&mut self, idempotency_key: &str, body: &[u8]) -> io::Result<Answer> {
        let head = format!(
            "POST /v1/traces/ingest HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {}\r\nContent-Type: \
             application/json\r\nIdempotency-Key: {idempotency_key}\r\nContent-Length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        self.call(head.as_bytes(), body)
    }

    fn call(&mut self, head: &[u8], body: &[u8]) -> io::Result<Answer> {
        let begun = Instant::now();
        let stream = self.stream.get_mut();
        stream.write_all(head)?;
        stream.write_all(body)?;
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let (mut length, mut chunked, mut retry_after) = (0, false, None);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            let Some((name, value)) = line.split_once(':') else { break };
            match name {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "transfer-encoding" => chunked = value.contains("chunked"),
                "retry-after" => retry_after = value.trim().parse().ok(),
                _ => {}
            }
        }
        let mut content = Vec::new();
        if chunked {
            loop {
                let size = usize::from_str_radix(self.line()?.trim(), 16).unwrap_or(0);
                let start = content.len();
                content.resize(start + size, 0);
                self.stream.read_exact(&mut content[start..])?;
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            content.resize(length, 0);
            self.stream.read_exact(&mut content)?;
        }
        let status = status.ok_or_else(|| io::Error::other(format!("not HTTP: {status_line:?}")))?;
        Ok(Answer { status, retry_after, body: content, took: begun.elapsed() })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
