//! The server on a real address: TLS, slow clients, clients that go away, and its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tempfile::TempDir;
use timeweft_server::{Limits, NewToken, Options, Role, Tokens};
use tokio::sync::oneshot;

use crate::loads::form;
use crate::world::make_shop;

/// A server on a free port of this machine.
struct Running {
    address: SocketAddr,
    dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(change: impl FnOnce(Options, &Path) -> Options) -> Running {
        let dir = tempfile::tempdir().expect("a folder");
        let options = Options { bind: "127.0.0.1:0".parse().expect("an address"), ..Options::default() };
        let options = change(options.graph("shop", make_shop(dir.path())), dir.path());
        let listening = options.listen().expect("it listens");
        let (address, (stop, stopped), told) = (listening.address(), oneshot::channel(), Arc::default());
        let lines: Arc<Mutex<Vec<String>>> = Arc::clone(&told);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let tell = Arc::new(move |line: &str| lines.lock().expect("no panic").push(line.to_owned()));
            let until = async { drop(stopped.await) };
            runtime.expect("threads").block_on(listening.run(until, tell)).expect("it ends well");
        });
        Running { address, dir, stop: Some(stop), thread: Some(thread), told }
    }

    /// Ends the server, and waits until it has.
    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends well");
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        stream
    }

    /// The status of a request over a connection of its own.
    fn status(&self, head: &str, body: &str) -> u16 {
        let mut stream = self.connect();
        write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n{body}").expect("it is sent");
        status(&mut stream)
    }

    fn commit(&self) -> u64 {
        timeweft::Graph::open_read_only(self.dir.path().join("shop")).expect("a graph").commit().0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

/// The status of an answer.
fn status(stream: &mut impl Read) -> u16 {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn short(options: Options, _: &Path) -> Options {
    let limits =
        Limits { stall: Duration::from_millis(400), body_time: Duration::from_millis(400), ..Limits::default() };
    Options { limits, ..options }
}

#[test]
fn slow_headers_and_bodies_end_and_do_not_stop_others() {
    let server = Running::start(short);
    let mut slow: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for (at, stream) in slow.iter_mut().enumerate() {
        let begun = match at % 4 {
            0 => "",
            1 => "GET /hea",
            2 => "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            _ => {
                "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            }
        };
        stream.write_all(begun.as_bytes()).expect("it is sent");
    }
    let began = Instant::now();
    assert_eq!(server.status("GET /healthz HTTP/1.1", ""), 200);
    assert!(began.elapsed() < Duration::from_millis(300), "others are answered at once: {:?}", began.elapsed());
    for (at, mut stream) in slow.into_iter().enumerate() {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let rest = String::from_utf8_lossy(&rest);
        if at % 4 == 3 {
            assert!(rest.starts_with("HTTP/1.1 400") && rest.contains("did not come in time"), "{at}: {rest}");
        } else {
            assert!(!rest.contains(" 200 "), "{at}: {rest}");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(8), "they are sent away: {:?}", began.elapsed());
}

#[test]
fn large_and_nested_bodies_are_refused() {
    let server =
        Running::start(|options, _| Options { limits: Limits { body: 200_000, ..Limits::default() }, ..options });
    let post = |body: &str| {
        let head = "POST /v1/session HTTP/1.1\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: ";
        server.status(&format!("{head}{}", body.len()), body)
    };
    assert_eq!(post(&format!("{{\"token\":\"{}\"}}", "x".repeat(300_000))), 413);
    for deep in ["[".repeat(100_000), "{\"token\":".repeat(20_000)] {
        assert_eq!(post(&deep), 400);
    }
    assert_eq!(post("{\"token\":1}"), 400);
    assert_eq!(server.status("GET /healthz HTTP/1.1", ""), 200, "it goes on");
    let header = "x".repeat(100_000);
    assert_eq!(server.status(&format!("GET /healthz HTTP/1.1\r\nX-Large: {header}"), ""), 431);
}

#[test]
fn a_client_that_goes_away_leaves_nothing() {
    let server = Running::start(|options, _| options);
    let body = form(&json!({ "kind": "events" }), &[("mail.csv", &"1,2,3\n".repeat(10_000))]);
    let mut stream = server.connect();
    let head = "POST /v1/graphs/shop/loads HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: multipart/form-data; boundary=----part";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{}", body.len(), &body[..body.len() / 2]).expect("it is sent");
    let folder = wait_for(uploads_of_this_process);
    drop(stream);
    wait_for(|| (!folder.exists()).then_some(()));
    assert_eq!(server.commit(), 2);
    assert_eq!(server.status("GET /v1/graphs/shop/jobs/1 HTTP/1.1", ""), 404, "there is no job");
}

/// The folder of an upload that is not whole yet.
fn uploads_of_this_process() -> Option<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("a folder").flatten().map(|entry| entry.path());
    entries
        .filter(|path| path.to_string_lossy().contains("timeweft-upload-"))
        .find(|path| path.join("mail.csv").exists())
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not come");
}

#[test]
fn more_connections_than_allowed_are_sent_away() {
    let server =
        Running::start(|options, _| Options { limits: Limits { connections: 5, ..Limits::default() }, ..options });
    let held: Vec<TcpStream> = (0..5)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it is sent");
            assert_eq!(status(&mut stream), 200);
            stream
        })
        .collect();
    let mut more = server.connect();
    let _ = more.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = Vec::new();
    let _ = more.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    drop(held);
    wait_for(|| {
        let mut stream = server.connect();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer.starts_with(b"HTTP/1.1 200").then_some(())
    });
}

fn tls_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A client that trusts the authority of the tests alone.
fn secure(
    server: &Running,
    name: &'static str,
    protocols: &[&[u8]],
) -> std::io::Result<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls_file("ca.pem")).expect("a certificate")).expect("an authority");
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name).expect("a name");
    let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = rustls::StreamOwned::new(connection, server.connect());
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

#[test]
fn over_tls_a_real_client_is_answered_and_the_cookie_is_secure() {
    let mut secret = String::new();
    let server = Running::start(|options, dir| {
        let (path, mut tokens) = (dir.join("tokens.toml"), Tokens::default());
        secret = tokens.create(NewToken { roles: vec![Role::Read], ..NewToken::default() }).expect("a token").1;
        tokens.save(&path).expect("a file");
        Options { tls: Some((tls_file("cert.pem"), tls_file("key.pem"))), tokens: Some(path), ..options }
    });
    let mut stream = secure(&server, "localhost", &[b"http/1.1"]).expect("a connection");
    let body = json!({ "token": secret }).to_string();
    let head = "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    write!(stream, "{head}\r\nOrigin: https://localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .expect("it is sent");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("HttpOnly; SameSite=Strict; Path=/;") && answer.contains("; Secure"), "{answer}");
    // The same from a page that came without TLS is another site.
    let mut stream = secure(&server, "localhost", &[b"http/1.1"]).expect("a connection");
    write!(stream, "{head}\r\nOrigin: http://localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .expect("it is sent");
    assert_eq!(status(&mut stream), 403);
    // HTTP/2 is agreed on; another name, and no TLS at all, are not.
    let stream = secure(&server, "localhost", &[b"h2", b"http/1.1"]).expect("a connection");
    assert_eq!(stream.conn.alpn_protocol(), Some(b"h2".as_slice()));
    assert!(secure(&server, "evil.example", &[b"http/1.1"]).is_err());
    let mut plain = server.connect();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it is sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn certificates_that_are_none_are_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let graph = make_shop(dir.path());
    let tls = Some((tls_file("README.md"), tls_file("key.pem")));
    let options = Options { bind: "127.0.0.1:0".parse().expect("an address"), tls, ..Options::default() };
    let error = options.graph("shop", graph).listen().err().expect("it is refused").to_string();
    assert!(error.starts_with("--tls ") && error.contains("README.md"), "{error}");
}

#[test]
fn at_the_end_questions_are_finished_and_loads_are_stopped_whole() {
    let mut server = Running::start(|options, _| options);
    let mut rows = "src,dst,time\n".to_owned();
    (0..300_000).for_each(|row| rows += &format!("{},{},{row}\n", row % 5000, row % 4999));
    let body = form(&json!({ "kind": "events" }), &[("long.csv", &rows)]);
    let head = "POST /v1/graphs/shop/loads HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: multipart/form-data; boundary=----part";
    let mut stream = server.connect();
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    assert_eq!(status(&mut stream), 202);
    let began = Instant::now();
    server.end();
    assert!(began.elapsed() < Duration::from_secs(14), "{:?}", began.elapsed());
    let told = server.told.lock().expect("no panic").join("\n");
    assert!(told.contains("stopping: ") && told.contains("nothing is half done"), "{told}");
    assert_eq!(server.commit(), 2, "the load is not there");
    let graph = timeweft::Graph::open(server.dir.path().join("shop")).expect("the graph is free");
    assert_eq!(graph.loads().len(), 2);
    assert!(TcpStream::connect(server.address).is_err(), "nobody listens");
}
