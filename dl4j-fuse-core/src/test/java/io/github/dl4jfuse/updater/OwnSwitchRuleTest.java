package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.CurvatureListener;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** What a user has to write to switch by an own rule. */
class OwnSwitchRuleTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;

    /** Switches as soon as the loss has come below a share of what it was. */
    record ShareOfTheFirstLoss(
            @JsonProperty("first") double first,
            @JsonProperty("share") double share) implements SwitchRule {

        @Override
        public boolean isMet(TrainingProgress progress) {
            return progress.loss() < share * first;
        }

        @Override
        public String describe() {
            return "the average loss fell below " + share + " of " + first;
        }
    }

    private static final SwitchRule RULE = new ShareOfTheFirstLoss(1.1, 0.8);

    private static MultiLayerNetwork network(IUpdater updater) {
        MultiLayerNetwork model = KIND.network(updater, DataType.FLOAT);
        model.setListeners(new CurvatureListener());
        return model;
    }

    private static FusePv rate(SwitchRule rule) {
        return FusePv.builder().learningRate(1e-2).switchCriterion(rule).build();
    }

    @Test
    void theSwitchComesWhenItSays() {
        MultiLayerNetwork model = KIND.network(rate(RULE), DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        for (int step = 0; step < 40; step++) {
            fit(model, KIND.batch(step % 4, 40, DataType.FLOAT));
        }
        assertThat(listener.phaseChanges()).hasSize(1);
        PhaseChange change = listener.phaseChanges().get(0);
        assertThat(change.curvature()).isTrue();
        assertThat(change.reason()).contains("the average loss fell below 0.8 of 1.1");
        assertThat(change.iteration()).isBetween(2, 39);
        assertThat(listener.statistics().curvatureSteps()).isEqualTo(40 - change.iteration());
    }

    @Test
    void itIsPartOfTheModel() {
        MultiLayerNetwork model = network(rate(RULE));
        String json = model.getLayerWiseConfigurations().toJson();
        assertThat(json).contains(ShareOfTheFirstLoss.class.getName());
        assertThat(MultiLayerConfiguration.fromJson(json)).isEqualTo(model.getLayerWiseConfigurations());
        assertThat(MultiLayerConfiguration.fromYaml(
                        model.getLayerWiseConfigurations().toYaml()))
                .isEqualTo(model.getLayerWiseConfigurations());
    }

    @Test
    void ofBeforeItWasAnInterface() {
        MultiLayerNetwork model = network(rate(SwitchCriterion.epoch(3)));
        String json = model.getLayerWiseConfigurations().toJson();
        String before = json.replaceAll("\"@class\"\\s*:\\s*\"" + SwitchCriterion.class.getName() + "\"\\s*,\\s*", "");
        assertThat(before).isNotEqualTo(json);
        assertThat(MultiLayerConfiguration.fromJson(before)).isEqualTo(model.getLayerWiseConfigurations());
    }
}
