package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.network.jacobian.RankCheck;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

class GeometryListenerTest {

    private static final long SEED = 20261124;

    private static MultiLayerNetwork network(double rate) {
        return TestNetworks.stack(
                TestNetworks.builder(new Sgd(rate), DataType.DOUBLE).seed(SEED),
                TestNetworks.dense(4, 20),
                TestNetworks.meanSquares(20, 2));
    }

    private static DataSet data() {
        Nd4j.getRandom().setSeed(SEED);
        return new DataSet(Nd4j.randn(DataType.DOUBLE, 12, 4), Nd4j.randn(DataType.DOUBLE, 12, 2));
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void watchingChangesNothing(TestNetworks kind) {
        INDArray[] ends = new INDArray[2];
        for (int watched = 0; watched < 2; watched++) {
            Model model = kind.create(new Adam(1e-2), DataType.FLOAT, TestNetworks.PLAIN);
            GeometryListener listener = new GeometryListener(2, 0.1);
            if (watched == 1) {
                model.setListeners(listener);
            }
            for (int i = 0; i < 5; i++) {
                TestNetworks.fit(model, kind.batch(i, 8, DataType.FLOAT));
            }
            ends[watched] = model.params().dup();
            assertThat(listener.reports()).hasSize(watched == 1 ? 3 : 0);
        }
        assertThat(ends[1]).isEqualTo(ends[0]);
    }

    /** Gauss-Newton steps of 0.1 with hardly any damping are the flow: measured and predicted rate agree. */
    @Test
    void theMeasuredRateOfTheFlowIsThePredictedOne() {
        MultiLayerNetwork network = network(0.1);
        GeometryListener listener = new GeometryListener(10, 0.1);
        network.setListeners(new GaussNewtonListener(GaussNewtonListener.Layers.ALL_LAYERS, 1e-9, 0), listener);
        DataSet data = data();
        for (int i = 0; i < 40; i++) {
            network.fit(data);
        }
        List<GeometryListener.Report> reports = listener.reports();
        assertThat(reports).hasSizeGreaterThanOrEqualTo(4);
        for (GeometryListener.Report report : reports.subList(1, reports.size())) {
            assertThat(report.predictedRate()).isCloseTo(-2 * Math.log(0.9), within(1e-12));
            assertThat(report.measuredRate()).isCloseTo(report.predictedRate(), within(0.05 * report.predictedRate()));
            assertThat(report.check().spectrum().meetsRankCondition()).isTrue();
            assertThat(report.toString()).contains("rank 24 of 24", "overparametrised");
        }
        assertThat(reports.get(reports.size() - 1).deviation()).isBetween(1e-4, 0.3);
    }

    @Test
    void theCheckSaysInPlainWordsWhatToExpect() {
        DataSet data = data();
        RankCheck good = RankCheck.of(network(1), data);
        assertThat(good.spectrum().meetsRankCondition()).isTrue();
        assertThat(good.time()).isCloseTo(0.5 * Math.log(1e4), within(1e-6));
        assertThat(good.steps()).isEqualTo(Math.ceil(0.5 * Math.log(1e4) / -Math.log(0.9)));
        assertThat(good.seconds()).isPositive();
        assertThat(good.toString()).contains("24 equations", "overparametrised", "condition is met", "44 steps");

        data.getFeatures().putRow(1, data.getFeatures().getRow(0));
        RankCheck twins = RankCheck.of(network(1), data);
        assertThat(twins.spectrum().numericalRank()).isEqualTo(22);
        assertThat(twins.toString()).contains("NOT met", "duplicate inputs", "is not reached");
    }

    @Test
    void aLargeDataSetIsSampledAndTooManyParametersAreNot() {
        DataSet data = new DataSet(Nd4j.randn(DataType.DOUBLE, 900, 4), Nd4j.randn(DataType.DOUBLE, 900, 2));
        RankCheck check = RankCheck.of(network(1), data);
        assertThat(check.examples()).isEqualTo(RankCheck.ROWS / 2);
        assertThat(check.toString()).contains("200 of 900 examples", "underparametrised", "NOT met", "wider");
        assertThatThrownBy(() -> RankCheck.of(network(1), data, 2, 0.1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(0, 1)");
    }

    @Test
    void ofALargeBatchTheFirstExamplesAreWatched() {
        MultiLayerNetwork network = network(1e-3);
        GeometryListener listener = new GeometryListener();
        network.setListeners(listener);
        network.fit(new DataSet(Nd4j.randn(DataType.DOUBLE, 300, 4), Nd4j.randn(DataType.DOUBLE, 300, 2)));
        assertThat(listener.reports().get(0).check().examples()).isEqualTo(RankCheck.ROWS / 2);
    }

    @Test
    void aBrokenNetworkIsNotReportedOnAndNotChecked() {
        MultiLayerNetwork network = network(1e-3);
        GeometryListener listener = new GeometryListener(1, 0.1);
        network.setListeners(listener);
        DataSet data = data();
        network.fit(data);
        network.params().putScalar(0, Double.NaN);
        network.fit(data);
        assertThat(listener.reports()).hasSize(1);
        assertThatThrownBy(() -> RankCheck.of(network, data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("broken parameters");
    }

    /** Two inputs that differ by 1e-4: told apart in double, lost in the rounding of float. */
    @Test
    void theRankIsThatOfTheParametersType() {
        DataSet data = data();
        data.getFeatures().putRow(1, data.getFeatures().getRow(0).add(1e-4));
        assertThat(RankCheck.of(network(1), data).spectrum().rank()).isEqualTo(24);
        MultiLayerNetwork rounded = network(1).convertDataType(DataType.FLOAT);
        DataSet floats = new DataSet(
                data.getFeatures().castTo(DataType.FLOAT), data.getLabels().castTo(DataType.FLOAT));
        assertThat(RankCheck.of(rounded, floats).spectrum().rank())
                .as("seed %d", SEED)
                .isEqualTo(22);
    }
}
