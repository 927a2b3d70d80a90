package io.github.dl4jfuse.optim.gaussnewton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rank, forecast and path. */
class PredictionTest {

    @Test
    void spectrumOfAKnownMatrix() {
        // D = diag(2, 1, 1e-6, 0) on 4 rows, so D D' has eigenvalues 4, 1, 1e-12, 0
        INDArray d = Nd4j.diag(Nd4j.createFromArray(2.0, 1.0, 1e-6, 0.0));
        LinearModel model = new LinearModel(d, new double[] {3, 4, 5, 6}, 4);
        OutputLoss loss = new SquaredLoss(new double[4], 4, 1);
        GramSpectrum spectrum = GramSpectrum.of(
                model.linearise(model.start()), loss.at(model.outputs(model.start())), 4, Math.ulp(0.5), 1e-9);
        assertThat(spectrum.rank()).isEqualTo(3);
        assertThat(spectrum.numericalRank()).isEqualTo(2);
        assertThat(spectrum.largest()).isCloseTo(4, within(1e-12));
        assertThat(spectrum.smallest()).isCloseTo(0, within(1e-15));
        assertThat(spectrum.condition()).isInfinite();
        assertThat(spectrum.meetsRankCondition()).isFalse();
        assertThat(spectrum.irreducible()).isCloseTo((25.0 + 36) / (9 + 16 + 25 + 36), within(1e-12));
    }

    /** Eigenvalues 4, 1, 2.5e-7, 0: the third is above the rounding of double, below that of float. */
    @Test
    void roundingOfTheParametersLimitsTheRank() {
        LinearModel model =
                new LinearModel(Nd4j.diag(Nd4j.createFromArray(2.0, 1.0, 5e-4, 0.0)), new double[] {3, 4, 5, 6}, 4);
        OutputLoss.Local local = new SquaredLoss(new double[4], 4, 1).at(model.outputs(model.start()));
        OutputJacobian jacobian = model.linearise(model.start());
        GramSpectrum inDouble = GramSpectrum.of(jacobian, local, 4, Math.ulp(0.5), 1e-9);
        assertThat(List.of(inDouble.rank(), inDouble.numericalRank())).containsExactly(3, 3);
        GramSpectrum inFloat = GramSpectrum.of(jacobian, local, 4, Math.ulp(0.5f), 1e-9);
        assertThat(List.of(inFloat.rank(), inFloat.numericalRank())).containsExactly(2, 2);
    }

    @Test
    void forecastsAreTheClosedForms() {
        OutputLoss loss = new SquaredLoss(new double[4], 4, 1);
        OutputLoss.Local local = loss.at(new double[] {2, 2, 2, 2});
        LossForecast forecast = new LossForecast(loss, local, 0);
        assertThat(forecast.lossAt(1)).isCloseTo(2 * Math.exp(-2), within(1e-12));
        assertThat(forecast.timeTo(1e-6)).isCloseTo(0.5 * Math.log(2e6), within(1e-9));
        assertThat(forecast.timeTo(3)).isZero();
        assertThat(forecast.stepsTo(1e-6, 0.1)).isEqualTo(Math.ceil(0.5 * Math.log(2e6) / -Math.log(0.9)));
        assertThat(forecast.stepsTo(1e-6, 1)).isEqualTo(1);
        LossForecast floored = new LossForecast(loss, local, 0.25);
        assertThat(floored.lossAt(0)).isCloseTo(2, within(1e-12));
        assertThat(floored.lossAt(1)).isCloseTo(0.5 + 1.5 * Math.exp(-2), within(1e-12));
        assertThat(floored.lossAt(50)).isCloseTo(0.5, within(1e-12));
        assertThat(floored.timeTo(0.4)).isInfinite();
    }

    @Test
    void distanceFromALine() {
        OutputPath path = new OutputPath(new double[] {0, 0}, new double[] {4, 0});
        path.add(new double[] {1, 0.5});
        path.add(new double[] {3, -1});
        path.add(new double[] {4, 0});
        assertThat(path.relativeDeviation()).isCloseTo(0.25, within(1e-12));
        OutputPath point = new OutputPath(new double[] {1}, new double[] {1});
        point.add(new double[] {5});
        assertThat(point.relativeDeviation()).isZero();
    }
}
