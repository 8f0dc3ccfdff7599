//! Where a queue is kept: a file, or a NATS server of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use encord_runner::queue::{self, Engine, OpenOptions};
use tempfile::TempDir;

pub(crate) enum Place {
    File(TempDir),
    Server(NatsServer),
}

impl Place {
    pub(crate) fn file() -> Option<Self> {
        Some(Place::File(tempfile::tempdir().expect("a folder can be made")))
    }

    /// None, and a line that says so, where no server is installed.
    pub(crate) fn server() -> Option<Self> {
        let Some(program) = NatsServer::program() else {
            println!("LEFT OUT: no nats-server 2.10 or newer; `cargo xtask setup` installs it");
            return None;
        };
        Some(Place::Server(NatsServer::start(program)))
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Place::File(folder) => folder.path().join("queue.db").display().to_string(),
            Place::Server(server) => server.url(),
        }
    }

    pub(crate) async fn open(&self) -> Box<dyn Engine> {
        self.open_with(5).await
    }

    pub(crate) async fn open_with(&self, max_deliveries: u32) -> Box<dyn Engine> {
        let options = OpenOptions { max_deliveries: Some(max_deliveries), ..OpenOptions::default() };
        queue::open_with(&self.address(), &options).await.expect("the queue opens")
    }
}

/// A server with a folder and a port of its own, killed when the test ends.
pub(crate) struct NatsServer {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Child,
}

impl NatsServer {
    fn program() -> Option<PathBuf> {
        let unpacked =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats-server/usr/sbin/nats-server");
        let candidates = [unpacked, PathBuf::from("nats-server")];
        candidates.into_iter().find(|program| {
            let answer = Command::new(program).arg("--version").output();
            let text = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned());
            text.is_ok_and(|text| text.contains("v2.1") && !text.contains("v2.1."))
        })
    }

    fn start(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let process = run(&program, folder.path(), 0);
        let mut server = NatsServer { program, folder, port: 0, process };
        server.port = server.announced_port();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// As a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the server can be killed");
        self.process.wait().expect("the server ends");
    }

    /// On the port and with the messages it had.
    pub(crate) fn start_again(&mut self) {
        self.process = run(&self.program, self.folder.path(), self.port);
    }

    /// The server writes the port it chose into a file.
    fn announced_port(&self) -> u16 {
        let file = self.folder.path().join(format!("nats-server_{}.ports", self.process.id()));
        for _ in 0..1000 {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let port = text.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('"').next());
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                return port;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not start");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(program: &Path, folder: &Path, port: u16) -> Child {
    let port = if port == 0 { -1 } else { i32::from(port) };
    let settings = format!(
        "listen: \"127.0.0.1:{port}\"\nports_file_dir: {folder:?}\n\
         jetstream {{ store_dir: {:?}, sync_interval: always }}\n",
        folder.join("store")
    );
    let file = folder.join("server.conf");
    std::fs::write(&file, settings).expect("settings can be written");
    let mut command = Command::new(program);
    command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the server starts")
}
