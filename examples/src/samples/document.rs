//! A text and a two-page PDF that both contain one certain word.

use std::path::Path;

use anyhow::{Context, Result};

/// The word the demo's text agent looks for.
pub const WORD: &str = "pathway";

const LINES: [&str; 4] = [
    "A task waits in a stage until somebody, or something, moves it on.",
    "An agent looks at the data, writes labels and names the pathway to take.",
    "Whoever reviews the labels later sees who made them and when.",
    "No pathway is taken before its labels are saved.",
];

/// Writes the lines as UTF-8.
pub(super) fn write_text(path: &Path) -> Result<()> {
    std::fs::write(path, LINES.join("\n") + "\n").with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the smallest PDF that viewers accept: two pages with half of the lines each.
pub(super) fn write_pdf(path: &Path) -> Result<()> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [4 0 R 6 0 R] /Count 2 >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for lines in LINES.chunks(2) {
        let contents = objects.len() + 2;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {contents} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>"
        ));
        let text: String = lines.iter().map(|line| format!("({line}) Tj 0 -24 Td ")).collect();
        let stream = format!("BT /F1 12 Tf 60 760 Td {text}ET");
        objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    std::fs::write(path, assemble(&objects)).with_context(|| format!("cannot write {}", path.display()))
}

/// Numbers the objects from one and appends the table of their positions.
fn assemble(objects: &[String]) -> String {
    let mut file = String::from("%PDF-1.4\n");
    let mut positions = String::new();
    for (index, object) in objects.iter().enumerate() {
        positions += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file += &format!("xref\n0 {size}\n0000000000 65535 f \n{positions}");
    file += &format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file
}
