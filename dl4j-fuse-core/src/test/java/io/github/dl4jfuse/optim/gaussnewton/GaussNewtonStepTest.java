package io.github.dl4jfuse.optim.gaussnewton;

import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.EXAMPLES;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.N;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.OUTPUTS;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.SEED;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.assertSame;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.column;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.dense;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.oneHot;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.root;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.softmax;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.SymmetricMatrix;
import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Against the dense formulas, by EJML. */
class GaussNewtonStepTest {

    @ParameterizedTest
    @CsvSource({"40", "7"})
    void allFormsSolveTheDampedProblem(int parameters) {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, parameters, SEED);
        OutputLoss.Local local = softmax().at(model.outputs(model.start()));
        SimpleMatrix b = root(local).transpose().mult(dense(model.d));
        SimpleMatrix w = column(local.whitened());
        double mean = b.mult(b.transpose()).trace() / N;
        SimpleMatrix slope = b.transpose().mult(w);
        double estimate = slope.dot(slope) / w.dot(w);
        double mu = 0.05;
        SimpleMatrix earlier =
                column(new Random(SEED).doubles(parameters, -1, 1).toArray());
        SimpleMatrix normal =
                b.transpose().mult(b).plus(SimpleMatrix.identity(parameters).scale(mu));
        SimpleMatrix plain = normal.solve(b.transpose().mult(w));
        SimpleMatrix withMomentum = normal.solve(b.transpose().mult(w).plus(earlier.scale(mu)));
        for (GaussNewtonStep.Form form : GaussNewtonStep.Form.values()) {
            GaussNewtonStep step = new GaussNewtonStep(
                    model.linearise(model.start()), local, parameters, form, GaussNewtonStep.CG_TOLERANCE);
            assertThat(step.meanEigenvalue())
                    .as("unit of the damping, %s, seed %d", form, SEED)
                    .isCloseTo(form == GaussNewtonStep.Form.MATRIX_FREE ? estimate : mean, within(1e-10));
            GaussNewtonStep.Solution solution = step.damped(mu, null);
            assertSame(plain, solution.direction(), 1e-6, form + " direction");
            assertSame(b.mult(plain), Nd4j.createFromArray(solution.image()), 1e-6, form + " image");
            GaussNewtonStep.Solution moving =
                    step.damped(mu, Nd4j.createFromArray(earlier.getDDRM().data.clone()));
            assertSame(withMomentum, moving.direction(), 1e-6, form + " with momentum");
            assertSame(b.mult(withMomentum), Nd4j.createFromArray(moving.image()), 1e-6, form + " image");
        }
    }

    /** D of a network is cheap in batch space up to the largest system, one by products only up to the smaller limit. */
    @Test
    void theFormSuitsTheSize() {
        OutputJacobian products = LinearModel.random(1, 1, 1, SEED).linearise(null);
        OutputJacobian factors = new OutputJacobian() {
            @Override
            public double[] push(INDArray v) {
                return products.push(v);
            }

            @Override
            public INDArray pull(double[] u) {
                return products.pull(u);
            }

            @Override
            public boolean hasGram() {
                return true;
            }
        };
        int small = GaussNewtonStep.FORMED_AT_MOST;
        int large = GaussNewtonStep.SOLVED_AT_MOST;
        assertThat(GaussNewtonStep.form(products, small, 10_000)).isEqualTo(GaussNewtonStep.Form.BATCH_SPACE);
        assertThat(GaussNewtonStep.form(products, small + 1, 10_000)).isEqualTo(GaussNewtonStep.Form.MATRIX_FREE);
        assertThat(GaussNewtonStep.form(factors, large, 10_000)).isEqualTo(GaussNewtonStep.Form.BATCH_SPACE);
        assertThat(GaussNewtonStep.form(factors, large + 1, 10_000)).isEqualTo(GaussNewtonStep.Form.MATRIX_FREE);
        assertThat(GaussNewtonStep.form(factors, large + 1, small)).isEqualTo(GaussNewtonStep.Form.PARAMETER_SPACE);
        assertThat(GaussNewtonStep.form(factors, large + 1, small + 1)).isEqualTo(GaussNewtonStep.Form.MATRIX_FREE);
    }

    /** D of rank 9 of 15. */
    @ParameterizedTest
    @CsvSource({"40", "11"})
    void allFormsFindThePseudoInverse(int parameters) {
        LinearModel thin = LinearModel.random(EXAMPLES, OUTPUTS, 9, SEED);
        LinearModel wide = LinearModel.random(3, 3, parameters, SEED + 1);
        LinearModel model = new LinearModel(thin.d.mmul(wide.d), new double[N], EXAMPLES);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        SimpleMatrix expected = dense(model.d).pseudoInverse().mult(column(local.whitened()));
        for (GaussNewtonStep.Form form : GaussNewtonStep.Form.values()) {
            GaussNewtonStep step = new GaussNewtonStep(
                    model.linearise(model.start()), local, parameters, form, GaussNewtonStep.CG_TOLERANCE);
            GaussNewtonStep.Solution solution = step.pseudoInverse(GaussNewtonStep.DEFAULT_CUT);
            assertSame(expected, solution.direction(), 1e-5, form + " direction");
            assertThat(solution.rank()).as("%s", form).isEqualTo(form == GaussNewtonStep.Form.MATRIX_FREE ? -1 : 9);
        }
    }

    @Test
    void thePredictedReductionIsThatOfALinearModel() {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 40, SEED);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS, 0.7);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        GaussNewtonStep step = new GaussNewtonStep(model.linearise(model.start()), local, 40);
        GaussNewtonStep.Solution solution = step.damped(0.3, null);
        INDArray end = solution.direction().mul(-0.6);
        double actual = local.value() - loss.at(model.outputs(end)).value();
        assertThat(step.predictedReduction(solution.image(), 0.6, loss)).isCloseTo(actual, within(1e-12));
    }

    @ParameterizedTest
    @CsvSource({"30", "200"})
    void hostAndLapackAgree(int n) {
        INDArray d = LinearModel.random(n, 1, n, SEED).d;
        double[] gram = d.mmul(d.transpose()).dup('c').data().asDouble();
        double[] b = new Random(SEED).doubles(n, -1, 1).toArray();
        SymmetricMatrix system = new SymmetricMatrix(gram, n);
        double mu = 0.1;
        double[] damped = gram.clone();
        for (int i = 0; i < n; i++) {
            damped[i * n + i] += mu;
        }
        double[] onHost = system.onHost(damped.clone()).solve(b);
        double[] byLapack = system.byLapack(damped.clone()).solve(b);
        double[] back =
                new SimpleMatrix(n, n, true, gram).mult(column(byLapack)).getDDRM().data;
        for (int i = 0; i < n; i++) {
            assertThat(byLapack[i]).as("seed %d", SEED).isCloseTo(onHost[i], within(1e-9));
            assertThat(back[i] + mu * byLapack[i]).isCloseTo(b[i], within(1e-9));
        }
    }

    @ParameterizedTest
    @CsvSource({"3", "400"})
    void aMatrixWithoutCholeskyFactorHasNoSolution(int n) {
        double[] indefinite = new double[n * n];
        for (int i = 0; i < n; i++) {
            indefinite[i * n + i] = i == 1 ? -1 : 1;
        }
        double[] b = new double[n];
        b[0] = 1;
        assertThat(new SymmetricMatrix(indefinite, n).solve(0.5, b)).isNull();
        assertThat(new SymmetricMatrix(indefinite, n).solve(2, b)[0]).isCloseTo(1 / 3.0, within(1e-12));
        indefinite[0] = Double.NaN;
        assertThat(new SymmetricMatrix(indefinite, n).solve(2, b)).isNull();
    }

    /** The largest system that is solved directly, against the normal equations of its 30 parameters. */
    @Test
    void fourThousandEquations() {
        int n = GaussNewtonStep.SOLVED_AT_MOST;
        int parameters = 30;
        LinearModel model = LinearModel.random(n, 1, parameters, SEED);
        OutputLoss loss = new SquaredLoss(new double[n], n, 1);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        double mu = 0.5 * n;
        SimpleMatrix d = dense(model.d);
        SimpleMatrix normal =
                d.transpose().mult(d).plus(SimpleMatrix.identity(parameters).scale(mu));
        SimpleMatrix expected = normal.solve(d.transpose().mult(column(local.whitened())));
        GaussNewtonStep step = new GaussNewtonStep(
                model.linearise(model.start()), local, parameters, GaussNewtonStep.Form.BATCH_SPACE, 1e-8);
        GaussNewtonStep.Solution solution = step.damped(mu, null);
        assertSame(expected, solution.direction(), 1e-9, "direction");
        assertSame(d.mult(expected), Nd4j.createFromArray(solution.image()), 1e-9, "image");
    }

    @Test
    void conjugateGradientsEndAtTheirLimit() {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 40, SEED);
        OutputLoss.Local local = softmax().at(model.outputs(model.start()));
        OutputJacobian jacobian = model.linearise(model.start());
        GaussNewtonStep one = new GaussNewtonStep(jacobian, local, 40, GaussNewtonStep.Form.MATRIX_FREE, 1e-12, 1);
        SimpleMatrix b = root(local).transpose().mult(dense(model.d));
        SimpleMatrix s = b.transpose().mult(column(local.whitened()));
        double mu = 0.05;
        double length = s.dot(s) / (b.mult(s).dot(b.mult(s)) + mu * s.dot(s));
        assertSame(s.scale(length), one.damped(mu, null).direction(), 1e-10, "steepest descent");
    }

    @Test
    void dampingFollowsTheRatio() {
        LevenbergMarquardt damping = new LevenbergMarquardt(1, 0.1);
        damping.taken(0.9, 1);
        assertThat(damping.lambda()).isEqualTo(0.25);
        damping.taken(0.9, 1);
        assertThat(damping.lambda()).as("not below its smallest value").isEqualTo(0.1);
        damping.taken(0.5, 1);
        assertThat(damping.lambda()).isEqualTo(0.1);
        damping.taken(0.1, 1);
        assertThat(damping.lambda()).isCloseTo(0.3, within(1e-12));
        damping.taken(Double.NaN, 1);
        assertThat(damping.lambda()).isCloseTo(0.9, within(1e-12));
        damping.rejected();
        assertThat(damping.lambda()).isCloseTo(3.6, within(1e-12));
    }

    @Test
    void dampingOnBatchesFollowsWhatStepsDoElsewhere() {
        LevenbergMarquardt damping = new LevenbergMarquardt(1, 1e-3);
        damping.taken(0.9, 1, 0.5);
        assertThat(damping.lambda()).as("good here and there").isEqualTo(0.5);
        for (int i = 0; i < 5; i++) {
            damping.taken(0.9, 1, -10);
        }
        assertThat(damping.lambda())
                .as("good here, bad there, from the second on")
                .isGreaterThan(2);
        for (int i = 0; i < 50; i++) {
            damping.taken(0.9, 1, -10);
        }
        assertThat(damping.lambda()).isEqualTo(LevenbergMarquardt.LARGEST_ON_BATCHES);
        damping.rejected();
        damping.taken(0.9, 1, -10);
        assertThat(damping.lambda()).as("larger stays").isEqualTo(4 * LevenbergMarquardt.LARGEST_ON_BATCHES);
        damping.taken(0.9, 1, Double.NaN);
        assertThat(damping.lambda()).isEqualTo(4 * LevenbergMarquardt.LARGEST_ON_BATCHES);
        LevenbergMarquardt once = new LevenbergMarquardt(1, 1e-3);
        once.taken(0.9, 1, -1e6);
        assertThat(once.lambda()).isEqualTo(2);
        once.taken(0.9, 1, 1);
        assertThat(once.lambda())
                .as("one disaster counts no more than one success")
                .isEqualTo(1);
    }
}
