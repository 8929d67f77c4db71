//! `timeweft serve` and `timeweft token`, run from end to end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::world::World;

/// A server of the program, ended when it is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(world: &World, line: &str) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_timeweft"));
        command.args(line.split_whitespace()).arg("--json").current_dir(world.path("."));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let told: Json = serde_json::from_str(&first).unwrap_or_else(|error| panic!("{error}: {first}"));
        Server { address: told["address"].as_str().unwrap().to_owned(), child }
    }

    /// The status and the body of an answer.
    fn ask(&self, line: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as a supervisor does; gives its exit code and what it told.
    fn end(mut self) -> (i32, String) {
        self.signal("TERM");
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (self.child.wait().unwrap().code().unwrap(), told)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mail() -> World {
    let world = World::new();
    world.write("mail.csv", "src,dst,time\n1,2,5\n1,3,8\n");
    world.done("load events mail.csv --unit s --graph mail");
    world
}

#[test]
#[cfg(unix)]
fn a_server_answers_and_ends_when_it_is_told() {
    let world = mail();
    let server = Server::start(&world, "serve mail --bind 127.0.0.1:0");
    assert_eq!(server.ask("GET /readyz", "").0, 200);
    assert!(server.ask("GET /g/mail/overview", "").1.contains("<title>timeweft</title>"));
    let held = world.run("load events mail.csv --graph mail --version again");
    held.expect(1, "it is open for writing").says("open for writing");
    let (code, told) = server.end();
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("stopping: "), "{told}");
    world.done("load events mail.csv --graph mail --version again");
}

#[test]
#[cfg(unix)]
fn a_reader_follows_what_another_process_writes() {
    let world = mail();
    let server = Server::start(&world, "serve mail --bind 127.0.0.1:0 --read-only");
    let commit = || {
        let metrics = server.ask("GET /metrics", "").1;
        metrics.lines().find_map(|line| line.strip_prefix("timeweft_commit{graph=\"mail\"} ")).unwrap().to_owned()
    };
    assert_eq!(commit(), "1");
    world.write("more.csv", "src,dst,time\n2,3,9\n");
    world.done("load events more.csv --graph mail");
    let began = Instant::now();
    while commit() != "2" {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not follow");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.end().0, 0);
}

#[test]
#[cfg(unix)]
fn tokens_are_made_listed_revoked_and_read_again() {
    let world = mail();
    let made = world.json("token create --roles read,admin --graphs mail --expires 30d --name ann tokens.toml");
    let token = made[0]["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("timeweft_") && token.len() == 73, "{token}");
    assert_eq!(made[0]["roles"], json!(["read", "admin"]));
    world
        .run("token create --roles read --name ann tokens.toml")
        .expect(1, "taken")
        .says("there is a token `ann` already");
    world.run("token create --roles write tokens.toml").expect(2, "no role").says("is no role");
    world.run("token create --roles read --expires 2001-01-01 tokens.toml").expect(2, "never").says("before it begins");
    world.done("token create --roles load --not-before 2999-01-01 tokens.toml");
    let server = Server::start(&world, "serve mail --bind 127.0.0.1:0 --tokens tokens.toml");
    let ask = |token: &str| server.ask("GET /metrics", &format!("Authorization: Bearer {token}\r\n")).0;
    assert_eq!((ask(&token), server.ask("GET /metrics", "").0, server.ask("GET /", "").0), (200, 401, 200));
    let listed = world.json("token list tokens.toml");
    let names: Vec<&str> = listed.iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "token-1"]);
    assert!(!std::fs::read_to_string(world.path("tokens.toml")).unwrap().contains(&token[9..]));
    world.done("token revoke ann tokens.toml");
    world.run("token revoke ann tokens.toml").expect(1, "gone").says("there is no token `ann`");
    assert_eq!(ask(&token), 200, "the server has not been told");
    server.signal("HUP");
    let began = Instant::now();
    while ask(&token) != 401 {
        assert!(began.elapsed() < Duration::from_secs(10), "it is not read again");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.end().1.contains("read again: 1 tokens"));
}

#[test]
fn what_cannot_be_served_says_what_to_do() {
    let world = mail();
    world.run("serve mail --bind 0.0.0.0:0").expect(1, "open").says("--tls CERT KEY and --tokens FILE");
    world.run("serve none").expect(1, "no graph").says("there is no graph here");
    world.run("serve mail mail --read-only").expect(1, "twice").says("rename its folder");
    world.run("serve mail --tokens none.toml").expect(1, "no tokens").says("none.toml");
    world.run("serve mail --tls a.pem b.pem").expect(1, "no certificate").says("--tls a.pem b.pem");
    world.run("serve mail --sources nowhere").expect(1, "no folder").says("--sources nowhere");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    world.run(&format!("serve mail --bind {address}")).expect(1, "taken").says("choose another with --bind");
}
