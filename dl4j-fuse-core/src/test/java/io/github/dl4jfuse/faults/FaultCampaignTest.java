package io.github.dl4jfuse.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A small part of the campaign; docs/reliability.md has the figures of the whole. */
class FaultCampaignTest {

    private static final long SEED = 20261127;
    private static final int CASES = 60;

    @Test
    void aSeedIsACase() {
        assertThat(Campaign.judge(Case.draw(SEED)).toString())
                .isEqualTo(Campaign.judge(Case.draw(SEED)).toString());
    }

    @Test
    void noFaultGoesUnnoticed() {
        List<Campaign.Outcome> failures = new ArrayList<>();
        Campaign.run(SEED, CASES, outcome -> {
            if (outcome.failed()) {
                failures.add(outcome);
            }
        });
        assertThat(failures).isEmpty();
    }
}
