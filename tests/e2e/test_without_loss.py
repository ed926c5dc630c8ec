"""After all the others, as modules run in alphabetical order: nothing that any of them set going has been lost."""

from tests.e2e.surroundings import Calm, EmbeddedAws, Twin, is_dead_letter_queue


def test_no_queue_message_was_given_up(aws: EmbeddedAws, calm: Calm) -> None:
    calm.wait()
    dead_letter_queues = [queue for queue in aws.queues() if is_dead_letter_queue(queue)]
    assert dead_letter_queues, "there is no dead-letter queue to look into"
    assert [queue for queue in dead_letter_queues if queue.messages] == []


def test_no_callback_was_turned_away(twin: Twin) -> None:
    assert twin.pending()["failed"] == 0
