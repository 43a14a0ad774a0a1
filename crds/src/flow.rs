//! Which rules get the results of which others.

/// The rules that each rule's results reach, directly or through others.
#[derive(Debug)]
pub(crate) struct Flow(Vec<Vec<bool>>);

impl Flow {
    /// `reaches` says whether results of the first rule arrive at the second.
    pub(crate) fn of(rules: usize, reaches: impl Fn(usize, usize) -> bool) -> Self {
        let mut all: Vec<Vec<_>> = (0..rules)
            .map(|from| (0..rules).map(|to| reaches(from, to)).collect())
            .collect();
        for through in 0..rules {
            let next = all[through].clone();
            for from in &mut all {
                if from[through] {
                    from.iter_mut()
                        .zip(&next)
                        .for_each(|(reached, next)| *reached |= next);
                }
            }
        }
        Self(all)
    }

    /// Whether what rule `next` gets comes back to `rule`, so that results of `rule` that arrive at `next` loop.
    pub(crate) fn comes_back(&self, next: usize, rule: usize) -> bool {
        next == rule || self.0[next][rule]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_back_through_any_number_of_rules() {
        // 0 to 1 to 2 to 0, and 3 to 0.
        let edges = [(0, 1), (1, 2), (2, 0), (3, 0)];
        let flow = Flow::of(5, |from, to| edges.contains(&(from, to)));
        for (next, rule, expected) in [
            (1, 0, true),
            (2, 1, true),
            (0, 3, false),
            (3, 0, true),
            (4, 4, true),
            (4, 0, false),
        ] {
            assert_eq!(flow.comes_back(next, rule), expected, "{next} {rule}");
        }
    }
}
