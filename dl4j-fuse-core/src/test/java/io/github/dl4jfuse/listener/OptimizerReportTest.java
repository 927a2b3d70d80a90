package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.surface;
import static io.github.dl4jfuse.TestNetworks.surfaceFit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.updater.Preconditioned;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;

class OptimizerReportTest {

    @Test
    void tellsWhatOurListenersCountedAndPassesOverOthers() {
        DataSet data = surface(40, SEED);
        MultiLayerNetwork net = surfaceFit(Preconditioned.adam(), Activation.TANH, 0);
        CurvatureListener curvature = new CurvatureListener();
        GeometryListener geometry = new GeometryListener();
        SaddleListener saddle = new SaddleListener(data).window(20);
        net.setListeners(new CollectScoresIterationListener(1), geometry, curvature);
        assertThat(DL4JFuse.reports(net)).hasSize(2);
        for (int step = 0; step < 12; step++) {
            net.fit(data);
        }
        List<OptimizerReport> reports = DL4JFuse.reports(net);
        assertThat(reports).containsExactlyInAnyOrder(curvature.statistics(), geometry.statistics());
        assertThat(geometry.statistics().forwardPasses()).isEqualTo(12);
        CurvatureStatistics counted = curvature.statistics();
        assertThat(counted.details())
                .hasSize(CurvatureStatistics.class.getRecordComponents().length)
                .containsEntry("gradientEvaluations", (double) counted.gradientEvaluations())
                .containsEntry("adamSteps", (double) counted.adamSteps())
                .containsEntry("extraBytes", (double) counted.extraBytes());
        assertThat(counted.gradientEvaluations()).isGreaterThanOrEqualTo(12);
        net.setListeners(saddle.smallestFall(0.999));
        for (int step = 0; step < 60; step++) {
            net.fit(data);
        }
        SaddleListener.Statistics probed = saddle.statistics();
        assertThat(probed.probes()).isPositive();
        assertThat(probed.gradientEvaluations()).isGreaterThan(probed.probes());
        assertThat(probed.stepsTaken())
                .isEqualTo(saddle.findings().stream()
                        .filter(finding -> finding.lossAfter() < finding.lossBefore())
                        .count());
    }

    @Test
    void stepsThatLookAtTheInputsAreCounted() {
        MultiLayerNetwork net = surfaceFit(Preconditioned.adam(), Activation.TANH, 0);
        DL4JFuse.attach(net);
        DataSet[] batches = {surface(40, SEED), surface(40, SEED + 1)};
        long looks = 0;
        for (int step = 1; step <= 20; step++) {
            net.fit(batches[step % 2]);
            long now = DL4JFuse.reports(net).get(0).looks();
            if (Integer.bitCount(step) == 1) {
                assertThat(now).as("step %d is a power of two", step).isEqualTo(looks + 1);
            }
            assertThat(now - looks).isBetween(0L, 1L);
            looks = now;
        }
        assertThat(looks).isBetween(5L, 19L);
    }
}
