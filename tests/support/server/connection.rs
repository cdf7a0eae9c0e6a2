use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};

use super::{Arrival, Gate, Shared, Step};

/// One connection, which takes a step for every request on it.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) number: usize,
    pub(super) shared: Arc<Shared>,
}

impl Connection {
    /// Takes one step. Says whether the connection stays open.
    pub(super) fn serve(&mut self) -> io::Result<bool> {
        if self.stream.peek(&mut [0])? == 0 {
            return Ok(false);
        }
        match self.shared.next_step() {
            Step::Ack => {
                let arrival = self.read()?;
                self.acknowledge(&arrival)
            }
            Step::AckWith { status, extra } => {
                let arrival = self.read()?;
                let mut body = arrival.acknowledgement();
                for (key, value) in extra.as_object().into_iter().flatten() {
                    body[key] = value.clone();
                }
                self.answer(status, &[], body.to_string().as_bytes())
            }
            Step::Reply { status, headers, body } => {
                self.read()?;
                self.answer(status, &headers, &body)
            }
            Step::AckThenClose => {
                let arrival = self.read()?;
                self.acknowledge(&arrival).map(|_| false)
            }
            Step::ReadHead => {
                let arrival = self.read_head()?;
                self.shared.keep(&arrival);
                Ok(false)
            }
            Step::ReadBody => self.read().map(|_| false),
            Step::Reset => self.read_and_reset(),
            Step::Close => Ok(false),
            Step::Trickle(gate) => {
                let arrival = self.read()?;
                self.trickle(&arrival, &gate)
            }
            Step::Park(gate) => {
                gate.wait();
                let arrival = self.read()?;
                self.acknowledge(&arrival)
            }
            Step::Hold(gate) => {
                let arrival = self.read()?;
                gate.wait();
                self.acknowledge(&arrival)
            }
            Step::AnswerUnread { status, headers, close } => {
                let arrival = self.read_head()?;
                self.shared.keep(&arrival);
                self.answer(status, &headers, b"refused")?;
                close.wait();
                Ok(false)
            }
            Step::AckUpTo(most) => {
                let mut arrival = self.read_head()?;
                if arrival.content_length() > most {
                    self.shared.keep(&arrival);
                    self.answer(413, &[], b"too large")?;
                    return Ok(false);
                }
                self.read_body(&mut arrival)?;
                self.acknowledge(&arrival)
            }
            Step::Endless => {
                self.read()?;
                self.stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    self.stream.write_all(b"400\r\n")?;
                    self.stream.write_all(&[b' '; 0x400])?;
                    self.stream.write_all(b"\r\n")?;
                }
            }
        }
    }

    fn read(&mut self) -> io::Result<Arrival> {
        let mut arrival = self.read_head()?;
        self.read_body(&mut arrival)?;
        Ok(arrival)
    }

    fn read_body(&mut self, arrival: &mut Arrival) -> io::Result<()> {
        arrival.body = vec![0; arrival.content_length()];
        self.stream.read_exact(&mut arrival.body)?;
        self.shared.keep(arrival);
        Ok(())
    }

    /// Closing a connection that holds a byte which was not read resets it: the last one is only looked at.
    fn read_and_reset(&mut self) -> io::Result<bool> {
        let mut arrival = self.read_head()?;
        let length = arrival.content_length();
        assert!(length > 0, "a request without a body cannot be reset after it");
        arrival.body = vec![0; length];
        let (last, rest) = arrival.body.split_last_mut().expect("not empty");
        self.stream.read_exact(rest)?;
        self.stream.peek(std::slice::from_mut(last))?;
        self.shared.keep(&arrival);
        Ok(false)
    }

    fn read_head(&mut self) -> io::Result<Arrival> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.stream.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let headers = lines.filter_map(|line| line.split_once(": "));
        Ok(Arrival {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: Vec::new(),
            connection: self.number,
        })
    }

    fn acknowledge(&mut self, arrival: &Arrival) -> io::Result<bool> {
        let (status, body) = stored(arrival);
        self.answer(status, &[], body.to_string().as_bytes())
    }

    fn trickle(&mut self, arrival: &Arrival, gate: &Gate) -> io::Result<bool> {
        let (status, body) = stored(arrival);
        let answer = answer_bytes(status, &[], body.to_string().as_bytes());
        let mut rest = answer.as_slice();
        while let Some((byte, behind)) = rest.split_first() {
            if gate.opens_within(Duration::from_millis(50)) {
                break;
            }
            self.stream.write_all(&[*byte])?;
            rest = behind;
        }
        self.stream.write_all(rest)?;
        Ok(true)
    }

    fn answer(&mut self, status: u16, headers: &[(String, String)], body: &[u8]) -> io::Result<bool> {
        self.stream.write_all(&answer_bytes(status, headers, body))?;
        Ok(true)
    }
}

fn stored(arrival: &Arrival) -> (u16, Value) {
    if arrival.path.ends_with("/annotations") {
        (201, json!({"id": "b7d179ef-508e-4ce1-8fd4-79d7a6eb37de"}))
    } else {
        (200, arrival.acknowledgement())
    }
}

fn answer_bytes(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} Scripted\r\n").into_bytes();
    for (name, value) in headers {
        answer.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    // These two statuses have no body, whatever is asked for.
    if !matches!(status, 204 | 304) {
        answer.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    answer.extend_from_slice(b"\r\n");
    if !matches!(status, 204 | 304) {
        answer.extend_from_slice(body);
    }
    answer
}
