package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.dl4jfuse.HeldMemory;
import io.github.dl4jfuse.linalg.MemoryEstimate;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** The bytes that are reported against the arrays that a run holds. */
class LbfgsMemoryTest {

    private static final int N = 1_000;
    private static final int STEPS = 25;

    private static Objective quadratic(DataType type) {
        return new Objective(N, type) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                gradient.assign(point.mul(Nd4j.linspace(1, 100, N, type)));
                return Nd4j.getBlasWrapper().dot(point, gradient) / 2;
            }
        };
    }

    @ParameterizedTest
    @CsvSource({
        "DOUBLE, false, false", "FLOAT, false, false", "FLOAT, true, false",
        "DOUBLE, false, true", "FLOAT, false, true", "FLOAT, true, true"
    })
    void reportedBytesAreThoseHeld(DataType type, boolean armijo, boolean bfloat16) {
        int memory = 4;
        LbfgsRun[] run = new LbfgsRun[1];
        long[] held = new long[1];
        LbfgsSettings settings = new LbfgsSettings();
        settings.memory = memory;
        settings.lineSearch = armijo ? new ArmijoBacktracking() : new MoreThuente();
        settings.bfloat16History = bfloat16;
        settings.gradientTolerance = 0;
        settings.relativeDecreaseTolerance = 0;
        settings.maxIterations = STEPS;
        settings.progress = step -> {
            held[0] = Math.max(held[0], HeldMemory.of(run[0]));
        };
        run[0] = new LbfgsRun(settings, quadratic(type), Nd4j.ones(type, N));
        Solution minimum = run[0].minimise();
        assertThat(minimum.iterations()).as("%s", minimum).isGreaterThan(2 * memory);
        long gram = 2L * memory * memory * Double.BYTES;
        if (bfloat16) {
            assertThat(minimum.bytes()).isEqualTo(2L * memory * N * 2 + 8L * N * type.width() + gram);
            // The third chunk lives within a direction only.
            assertThat(held[0]).isEqualTo(minimum.bytes() - (long) N * type.width());
        } else {
            assertThat(minimum.bytes()).isEqualTo((2L * memory + 3) * N * type.width() + gram);
            assertThat(held[0]).isEqualTo(minimum.bytes());
        }
    }

    @Test
    void theBestPointKeepsNoOtherMemoryAlive() {
        Solution minimum = LbfgsSolver.minimize(quadratic(DataType.FLOAT), Nd4j.ones(DataType.FLOAT, N));
        assertThat(minimum.point().isView()).isFalse();
        assertThat(minimum.point().data().length()).isEqualTo(N);
    }

    @Test
    void muchMemoryIsSaidAndLittleIsNot() {
        assertThat(MemoryEstimate.of("All of it", 101L << 20, 1000L << 20))
                .contains("All of it takes 101 MB of the 1,000 MB that are free.");
        assertThat(MemoryEstimate.of("All of it", 100L << 20, 1000L << 20)).isEmpty();
    }

    @Test
    void theSolverSaysBeforehandThatItTakesMuch() {
        Logger logger = (Logger) LoggerFactory.getLogger(MemoryEstimate.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.INFO);
        try {
            int memory = 20;
            long free = Pointer.maxBytes() - Pointer.totalBytes();
            long much = (long) (1.3 * MemoryEstimate.FROM * free) / ((2L * memory + 3) * Float.BYTES);
            LbfgsSolver.Builder once = LbfgsSolver.builder().memory(memory).maxEvaluations(1);
            once.build().run(zero(much / 4), Nd4j.zeros(DataType.FLOAT, much / 4));
            assertThat(log.list).isEmpty();
            once.build().run(zero(much), Nd4j.zeros(DataType.FLOAT, much));
            assertThat(log.list).hasSize(1);
            assertThat(log.list.get(0).getFormattedMessage())
                    .startsWith(String.format(Locale.ROOT, "L-BFGS with 20 pairs of %,d numbers takes ", much));
        } finally {
            logger.detachAppender(log);
            logger.setLevel(null);
        }
    }

    private static Objective zero(long n) {
        return new Objective(n, DataType.FLOAT) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                gradient.assign(0);
                return 0;
            }
        };
    }
}
