//! Losses, duplicates and order, told by numbers or by order.

use matching::time_of;

use super::*;

fn tally(messages: u64) -> (Tally, Instant) {
    let now = Instant::now();
    let mut tally = Tally::new(now, 500);
    for _ in 0..messages {
        tally.sent_one(now, "d".into(), 1);
    }
    (tally, now)
}

fn result(number: u64) -> Vec<u8> {
    format!("{{\"a\": 1, \"ts\": {}}}", time_of(500 + number)).into_bytes()
}

#[test]
fn losses_duplicates_and_order_are_told_by_the_numbers() {
    let (mut tally, now) = tally(5);
    for number in [0, 2, 1, 2, 4] {
        tally.result(now, &result(number));
    }
    tally.result(now, b"{\"of\": \"another\"}");
    tally.result(now, &result(70));
    let summary = tally.summary();
    assert_eq!(summary.matched_by, MatchedBy::Number);
    assert_eq!((summary.results, summary.missing), (5, 1));
    assert_eq!((summary.duplicates, summary.out_of_order), (1, 1));
    assert_eq!(summary.others, 2);
}

#[test]
fn results_without_a_number_answer_in_order() {
    let (mut tally, now) = tally(3);
    for _ in 0..2 {
        tally.result(now, b"1");
    }
    let summary = tally.summary();
    assert_eq!(summary.matched_by, MatchedBy::Order);
    assert_eq!((summary.results, summary.missing), (2, 1));
}

#[test]
fn what_was_given_up_may_still_come() {
    let (mut tally, now) = tally(3);
    tally.result(now, &result(1));
    tally.give_up();
    assert_eq!((tally.open(), tally.summary().missing), (0, 2));
    tally.sent_one(now, "d".into(), 1);
    tally.result(now, &result(0));
    tally.result(now, &result(3));
    tally.result(now, &result(3));
    let summary = tally.summary();
    assert_eq!((summary.missing, summary.duplicates), (1, 1));
}

#[test]
fn a_message_of_two_models_has_two_results_and_one_of_none_has_none() {
    let now = Instant::now();
    let mut tally = Tally::new(now, 500);
    tally.sent_one(now, "d".into(), 2);
    tally.sent_one(now, "e".into(), 0);
    tally.result(now, &result(0));
    assert_eq!(tally.open(), 1);
    tally.dead_letter(now, &result(0));
    let summary = tally.summary();
    assert_eq!((summary.missing, summary.duplicates), (0, 0));
    assert_eq!(summary.dead_lettered, 1);
}
