//! Bars as an SVG: one group for each quality of service, one bar for each contender.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LABELS: f64 = 280.0;
const FIGURES: f64 = 90.0;
const BAR: f64 = 22.0;
const TITLE: f64 = 34.0;

/// A group of bars: its title, and each bar's label, figure and colour.
pub(crate) type Group = (String, Vec<(&'static str, f64, &'static str)>);

/// The picture.
pub(crate) fn svg(unit: &str, groups: &[Group]) -> String {
    let bars: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    let height = to_f64(groups.len()) * TITLE + to_f64(bars) * BAR + 16.0;
    let figures = groups.iter().flat_map(|(_, bars)| bars);
    let longest = figures.map(|(_, figure, _)| *figure).fold(1.0, f64::max);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let mut y = 0.0;
    for (title, bars) in groups {
        y += TITLE;
        let _ = writeln!(
            text,
            "<text x=\"8\" y=\"{:.0}\" font-weight=\"bold\">{title}</text>",
            y - 10.0
        );
        for (label, figure, colour) in bars {
            let width = (WIDTH - LABELS - FIGURES) * figure / longest;
            let _ = writeln!(
                text,
                "<text x=\"8\" y=\"{:.0}\">{label}</text>\
                 <rect x=\"{LABELS}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{:.0}\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\">{figure:.0}{unit}</text>",
                y + 15.0,
                BAR - 4.0,
                LABELS + width + 6.0,
                y + 15.0,
            );
            y += BAR;
        }
    }
    text + "</svg>\n"
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn to_f64(count: usize) -> f64 {
    count as f64
}
