//! `report.html`: one file without references to others, a card per task with its labels drawn on what its
//! agent saw.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::drawing::{Label, Shape, classifications, escape, on_frame, on_ranges, svg};
use crate::gallery::View;

/// One task of the report.
pub(crate) struct Card {
    /// The data unit's title.
    pub(crate) title: String,
    /// Its type, as seeds spell it.
    pub(crate) kind: String,
    /// The title of the stage the task ended in.
    pub(crate) stage: String,
    /// The saved label row, as the sandbox gave it back.
    pub(crate) document: Value,
    /// What its agent saw.
    pub(crate) views: Vec<View>,
}

/// The whole page. `summary` is preformatted text, such as the tables of the runs.
pub(crate) fn page(summary: &str, cards: &[Card], skipped: &[(String, usize)]) -> String {
    let cards: String = cards.iter().map(card).collect();
    let left_out: String =
        skipped.iter().map(|(reason, count)| format!("<li>{count} × {}</li>", escape(reason))).collect();
    let left_out =
        if left_out.is_empty() { left_out } else { format!("<h2>Left out</h2><ul>{left_out}</ul>") };
    format!(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>Demo report</title>\n\
         <style>{STYLE}</style></head>\n<body><h1>What the agents found</h1>\n\
         <p>Labels are drawn as the sandbox returned them after the runs.</p>\n\
         <main>{cards}</main>\n{left_out}\n<h2>Runs</h2><pre>{}</pre></body></html>\n",
        escape(summary)
    )
}

const STYLE: &str = "
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #f4f4f1; }
main { display: grid; grid-auto-flow: dense; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 1rem; align-items: start; }
article { background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .8rem; }
article.wide { grid-column: span 2; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem } h3 { margin: 0; font-size: 1rem; }
.kind { color: #777; font-size: .85rem; margin: 0 0 .5rem; }
.views { display: flex; flex-wrap: wrap; gap: .4rem; }
figure { margin: 0; flex: 1 1 140px; } figcaption { color: #777; font-size: .75rem; }
svg { width: 100%; height: auto; max-height: 250px; display: block; background: #eee; }
svg text { font-family: system-ui, sans-serif; font-weight: 600; paint-order: stroke; stroke: #fff; stroke-width: 2px; }
ul { margin: .5rem 0 0; padding-left: 1.1rem; } blockquote { margin: 0; font-size: .85rem; }
mark { color: inherit; padding: 0 .1em; } pre { background: #fff; padding: 1rem; overflow-x: auto; }
";

fn card(card: &Card) -> String {
    let several = card.views.len() > 2;
    let views: String = card.views.iter().map(|view| figure(view, &card.document, several)).collect();
    let answers: String =
        classifications(&card.document).iter().map(|answer| format!("<li>{}</li>", escape(answer))).collect();
    let answers = if answers.is_empty() { answers } else { format!("<ul>{answers}</ul>") };
    format!(
        "<article{}><h3>{}</h3><p class='kind'>{}, now in “{}”</p><div class='views'>{views}</div>{answers}</article>\n",
        if several { " class='wide'" } else { "" },
        escape(&card.title),
        escape(&card.kind),
        escape(&card.stage)
    )
}

fn figure(view: &View, document: &Value, numbered: bool) -> String {
    match view {
        View::Picture { frame, png, width, height } => {
            let labels = on_frame(document, *frame);
            let caption =
                if numbered { format!("<figcaption>frame {frame}</figcaption>") } else { String::new() };
            format!(
                "<figure><svg viewBox='0 0 {width} {height}'>\
                 <image href='data:image/png;base64,{}' width='{width}' height='{height}'/>{}</svg>\
                 {caption}</figure>",
                STANDARD.encode(png),
                svg(&labels, *width, *height)
            )
        }
        View::Sound { levels, milliseconds } => sound(levels, *milliseconds, &on_ranges(document, "audio")),
        View::Text(text) => format!(
            "<figure><blockquote>{}</blockquote></figure>",
            marked(text, &on_ranges(document, "text"))
        ),
    }
}

/// Loudness over time with the labelled ranges behind it.
fn sound(levels: &[f32], milliseconds: u64, labels: &[Label]) -> String {
    let (width, height) = (levels.len().max(1) as f64, 60.0);
    let mut drawn = String::new();
    for (label, (start, end)) in
        labels.iter().flat_map(|label| ranges(label).map(move |range| (label, range)))
    {
        let place = |time: u64| time as f64 / milliseconds.max(1) as f64 * width;
        let (color, name) = (escape(&label.color), escape(&label.name));
        drawn += &format!(
            "<rect x='{:.1}' y='0' width='{:.1}' height='{height}' fill='{color}' opacity='.35'/>\
             <text x='{:.1}' y='10' font-size='8' fill='#444'>{name}, {start}–{end} ms</text>",
            place(start),
            place(end) - place(start),
            place(start) + 2.0
        );
    }
    let bars: String = levels
        .iter()
        .enumerate()
        .map(|(index, level)| {
            let bar = (f64::from(*level) * height).max(0.5);
            format!(
                "<rect x='{index}' y='{:.1}' width='.8' height='{bar:.1}' fill='#456'/>",
                (height - bar) / 2.0
            )
        })
        .collect();
    format!("<figure><svg viewBox='0 0 {width} {height}'>{bars}{drawn}</svg></figure>")
}

/// The text with its labelled ranges marked.
fn marked(text: &str, labels: &[Label]) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut marks: Vec<_> =
        labels.iter().flat_map(|label| ranges(label).map(move |range| (range, &label.color))).collect();
    marks.sort_by_key(|(range, _)| *range);
    let part = |from: usize, to: usize| {
        let to = to.min(characters.len());
        escape(&characters[from.min(to)..to].iter().collect::<String>())
    };
    let mut html = String::new();
    let mut at = 0;
    for ((start, end), color) in marks {
        let (start, end) = ((start as usize).max(at), end as usize + 1);
        html += &format!(
            "{}<mark style='background:{}66'>{}</mark>",
            part(at, start),
            escape(color),
            part(start, end)
        );
        at = end;
    }
    html + &part(at, characters.len())
}

fn ranges(label: &Label) -> impl Iterator<Item = (u64, u64)> {
    let ranges = if let Shape::Ranges(ranges) = &label.shape { ranges.as_slice() } else { &[] };
    ranges.iter().copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_marked_once() {
        let document = json!({"object_answers": {"h": {"name": "Word", "color": "#7B64FF", "shape": "text", "range": [[2, 4]]}}});
        assert_eq!(
            marked("a bcd <e>", &on_ranges(&document, "text")),
            "a <mark style='background:#7B64FF66'>bcd</mark> &lt;e&gt;"
        );
    }

    #[test]
    fn a_page_needs_nothing_but_itself() {
        let view = View::Picture { frame: 0, png: vec![1, 2, 3], width: 4, height: 4 };
        let card = Card {
            title: "a & b".into(),
            kind: "image".into(),
            stage: "Complete".into(),
            document: json!({"data_units": {"u": {"labels": {"objects": []}}}}),
            views: vec![view],
        };
        let page = page("table", &[card], &[("no ffmpeg".into(), 2)]);
        assert!(
            page.contains("a &amp; b")
                && page.contains("data:image/png;base64,AQID")
                && page.contains("2 × no ffmpeg")
        );
        assert!(!page.contains("src=") && !page.contains("http"));
    }
}
