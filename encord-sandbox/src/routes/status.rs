//! `GET /`: a page for people, made on the server without a script.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use crate::journal::{Answered, RequestCounts};
use crate::platform::Platform;
use crate::store::{Project, Store};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;\
color:#1d2433;background:#f6f7f9}h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}\
table{border-collapse:collapse;width:100%;background:#fff;border:1px solid #dfe3ea}\
th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid #eceff4;vertical-align:top}\
th{font-weight:600;color:#5b6577}th:last-child,td.n{text-align:right;font-variant-numeric:tabular-nums}\
code{font-size:.85em;color:#5b6577}.bad{color:#b3261e;font-weight:600}.none{color:#8a93a3}";

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new().route("/", get(page))
}

async fn page(State(platform): State<Arc<Platform>>) -> Html<String> {
    let projects = platform.read(projects);
    let counts = platform.journal.counts();
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Encord sandbox</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\
         <h1>Encord sandbox</h1><h2>Projects</h2>{projects}<h2>Requests</h2>{}<h2>Last requests</h2>{}</body></html>",
        endpoints(&counts),
        recent(&platform.journal.recent()),
    );
    Html(body)
}

fn projects(store: &Store) -> String {
    let mut projects: Vec<&Project> = store.projects.values().collect();
    if projects.is_empty() {
        return "<p class=\"none\">There are no projects.</p>".into();
    }
    projects.sort_by_key(|project| (project.created_at, project.hash));
    let mut table = String::from("<table><tr><th>Project</th><th>Stage</th><th>Type</th><th>Tasks</th></tr>");
    for project in projects {
        let name = format!("{}<br><code>{}</code>", escape(&project.title), project.hash);
        if project.stages().is_empty() {
            row(&mut table, &[&name, "<span class=\"none\">no workflow</span>", "", ""]);
        }
        for (index, stage) in project.stages().iter().enumerate() {
            let tasks = store.board(project.hash).map_or(0, |board| board.count(stage.uuid));
            let name = if index == 0 { name.as_str() } else { "" };
            row(&mut table, &[name, &escape(&stage.title), stage.kind.wire(), &tasks.to_string()]);
        }
    }
    table + "</table>"
}

fn endpoints(counts: &RequestCounts) -> String {
    if counts.endpoints.is_empty() {
        return "<p class=\"none\">Nobody has called yet.</p>".into();
    }
    let head = "<table><tr><th>Endpoint</th><th>Statuses</th><th>Bytes out</th><th>Count</th></tr>";
    let mut table = String::from(head);
    for (endpoint, count) in &counts.endpoints {
        let statuses: Vec<String> =
            count.statuses.iter().map(|(status, times)| format!("{} × {times}", shown(*status))).collect();
        let (bytes, times) = (count.bytes_out.to_string(), count.count.to_string());
        row(&mut table, &[&escape(endpoint), &statuses.join(", "), &bytes, &times]);
    }
    table + "</table>"
}

fn recent(requests: &[Answered]) -> String {
    if requests.is_empty() {
        return "<p class=\"none\">None.</p>".into();
    }
    let mut table = String::from("<table><tr><th>When</th><th>Endpoint</th><th>Status</th></tr>");
    for request in requests {
        row(&mut table, &[&request.at, &escape(&request.endpoint), &shown(request.status)]);
    }
    table + "</table>"
}

/// A row whose last cell is a number.
fn row(table: &mut String, cells: &[&str]) {
    table.push_str("<tr>");
    for (index, cell) in cells.iter().enumerate() {
        let class = if index + 1 == cells.len() { " class=\"n\"" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(table, "<td{class}>{cell}</td>");
    }
    table.push_str("</tr>");
}

fn shown(status: u16) -> String {
    match status {
        0 => "<span class=\"bad\">dropped</span>".into(),
        200..=399 => status.to_string(),
        _ => format!("<span class=\"bad\">{status}</span>"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn titles_cannot_bring_markup() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
