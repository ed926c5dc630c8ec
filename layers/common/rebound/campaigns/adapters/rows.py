"""The rows of campaigns, and of what is kept while they run."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from rebound.platform.adapters.dynamo import (
    CustomerIdsAttribute,
    DateAttribute,
    EpochAttribute,
    InstantAttribute,
    JsonAttribute,
    Model,
    WallClockAttribute,
)


class RunningCampaigns(GlobalSecondaryIndex["CampaignRow"]):  # type: ignore[no-untyped-call]
    """The campaigns of a business that run, without what they say."""

    class Meta:
        """What pynamodb wants to know of an index."""

        index_name = "RunningCampaigns"
        projection = IncludeProjection(
            [
                *("name", "category", "channel", "status", "selection", "exclude_failed", "single"),
                *("include_customer_ids", "created_at", "send_at", "local_time", "send_before", "started_at"),
                *("run_id", "ranges", "window", "version"),
            ]
        )

    running = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)


class CampaignRow(Model):
    """A campaign, keyed by ``business_id`` / ``campaign_id``; ``running`` is its business for as long as it runs."""

    business_id = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    category = UnicodeAttribute()
    channel = UnicodeAttribute()
    status = UnicodeAttribute()
    selection = JsonAttribute()
    content = JsonAttribute()
    exclude_failed = BooleanAttribute()
    include_customer_ids = UnicodeSetAttribute(null=True)
    include_external_ids = UnicodeSetAttribute(null=True)
    created_at = InstantAttribute()
    send_at = InstantAttribute(null=True)
    local_time = WallClockAttribute(null=True)
    send_before = InstantAttribute(null=True)
    started_at = InstantAttribute(null=True)
    completed_at = InstantAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    ranges = NumberAttribute(default=1)
    failure = UnicodeAttribute(null=True)
    single = BooleanAttribute(default=False)
    appointment_id = UnicodeAttribute(null=True)
    appointment_at = InstantAttribute(null=True)
    lead_seconds = NumberAttribute(null=True)
    appointment_version = NumberAttribute(null=True)
    asks_confirmation = BooleanAttribute(null=True)
    asks_consent = BooleanAttribute(null=True)
    voucher = JsonAttribute(null=True)
    paused_because = UnicodeAttribute(null=True)
    window = NumberAttribute(default=0)
    bounce_warning = JsonAttribute(null=True)
    rollback = JsonAttribute(null=True)
    recalling = BooleanAttribute(null=True)
    names_left_out = BooleanAttribute(null=True)
    test_to = UnicodeAttribute(null=True)
    recurring_id = UnicodeAttribute(null=True)
    occurrence_date = DateAttribute(null=True)
    contents = JsonAttribute(null=True)
    parent_id = UnicodeAttribute(null=True)
    tier = UnicodeAttribute(null=True)
    copy_of = UnicodeAttribute(null=True)
    copy_to = UnicodeAttribute(null=True)
    copy_name = UnicodeAttribute(null=True)
    relation_id = UnicodeAttribute(null=True)
    sequence_id = UnicodeAttribute(null=True)
    aside = NumberAttribute(null=True)
    split = JsonAttribute(null=True)
    goal = JsonAttribute(null=True)
    version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    running = UnicodeAttribute(null=True)
    running_campaigns = RunningCampaigns()


class ChunkRow(Model):
    """A row of the claim ledger, keyed by ``campaign_id`` / ``chunk``.

    A chunk is written four times, and each write is billed by the started kilobyte. A full chunk therefore stays below
    one kilobyte, which a test checks: attribute names are short, ids and times are packed.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    business_id = UnicodeAttribute()
    customer_ids = CustomerIdsAttribute(attr_name="ids")
    remaining = CustomerIdsAttribute(null=True)
    state = UnicodeAttribute()
    owner = UnicodeAttribute(null=True)
    leased_until = EpochAttribute(null=True)
    attempts = NumberAttribute(default=0)
    created_at = EpochAttribute()
    waiting = CustomerIdsAttribute(null=True)
    not_before = EpochAttribute(null=True)
    sharing = NumberAttribute(null=True)
    reopened_at = EpochAttribute(null=True)
    expires_at = NumberAttribute()


class HoldsRow(Model):
    """In the Chunks table, ``chunk`` = ``holds``: until when some recipients of the campaign wait, and why."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    holds = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class LeftOutRow(Model):
    """In the Chunks table, ``chunk`` = ``left-out#<range>#<page>``: whom a page of an expansion left out, and why.

    ``reasons`` has each reason with how many of the ids it is true of, in their order.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    customer_ids = CustomerIdsAttribute(attr_name="ids")
    reasons = JsonAttribute()
    expires_at = NumberAttribute()


class MemberRow(Model):
    """In the Chunks table, ``chunk`` = ``member#<part>``: some of those whom an occurrence goes to."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    customer_ids = CustomerIdsAttribute(attr_name="ids")
    expires_at = NumberAttribute()


class RangeRow(Model):
    """In the Chunks table, ``chunk`` = ``range#<index>``: the progress of one range's expansion."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    carry = CustomerIdsAttribute(null=True)
    chunks = NumberAttribute()
    enqueued = NumberAttribute()
    matched = NumberAttribute()
    excluded = JsonAttribute()
    done = BooleanAttribute()
    held = JsonAttribute(null=True)
    sharing = CustomerIdsAttribute(null=True)
    variants = JsonAttribute(null=True)
    version = NumberAttribute()
    expires_at = NumberAttribute()


class SharedAddressRow(Model):
    """In the Chunks table, ``chunk`` = ``address#<digest>``: who gets the message at an address that customers share.

    An element of ``made_way`` is a customer's id and the name of their chunk.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    winner = UnicodeAttribute(null=True)
    made_way = UnicodeSetAttribute(null=True)
    recalled = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class TallyRow(Model):
    """In the Chunks table, ``chunk`` = ``tally#<shard>``: counts from one shard of the message log's stream.

    A row is written for each batch of the stream, and billed by the started kilobyte: ``over_time`` has counts by span
    as a list for each status, in which the first is that of the first span, and ``by_variant`` counts by the variant's
    name and what is counted, mostly as a letter. A test holds the size.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    over_time = JsonAttribute(null=True)
    by_variant = JsonAttribute(null=True)
    position = UnicodeAttribute()
    expires_at = NumberAttribute()


class VoucherNumberRow(Model):
    """In the Chunks table, ``campaign_id`` = ``vouchers#<business>``: which campaign a number was given to.

    ``chunk`` is ``number#<number>``, and ``numbers`` for the row that counts them.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    points_to = UnicodeAttribute(null=True)
    given = NumberAttribute(null=True)


class RedemptionRow(Model):
    """In the Chunks table, ``campaign_id`` = ``voucher#<business>#<code>``: with which order a voucher was redeemed."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    redeemed_for = UnicodeAttribute()
    sale = JsonAttribute(null=True)
    taken_back = UnicodeSetAttribute(null=True)
    closed = BooleanAttribute(null=True)
    message = UnicodeAttribute(null=True)
    version = NumberAttribute()
    expires_at = NumberAttribute()


class VoucherTotalRow(Model):
    """In the Chunks table, ``chunk`` = ``voucher#<currency>``: what a campaign's vouchers brought in.

    ``revenue`` counts ten thousandths, of which each currency's amounts are whole numbers.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    redeemed = NumberAttribute()
    revenue = NumberAttribute()
