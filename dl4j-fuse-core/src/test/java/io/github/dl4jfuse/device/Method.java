package io.github.dl4jfuse.device;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.LfsoListener;
import io.github.dl4jfuse.listener.SaddleListener;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Every method of the library, on one small network from weights that Java draws: backends draw different ones. */
enum Method {
    ADAM(() -> new Adam(1e-2), () -> null),
    FUSE_PV_ADAM(() -> FusePv.ofRate(1e-2), CurvatureListener::new),
    FUSE_PV_LBFGS(Method::switched, CurvatureListener::new),
    FUSE(() -> Fuse.builder().learningRate(1e-2).theta(0.5).memory(3).build(), CurvatureListener::new),
    PRECONDITIONED(() -> Preconditioned.of(new Adam(1e-2)), CurvatureListener::new),
    LFSO(() -> new Lfso(Lfso.Direction.ADAM), LfsoListener::new),
    GAUSS_NEWTON(() -> new Sgd(1), GaussNewtonListener::new),
    SADDLE(() -> new Adam(1e-2), () -> new SaddleListener(batch(0, DataType.DOUBLE)).window(20)),
    LBFGS_SOLVER(() -> new Sgd(1), () -> null),
    GEOMETRY_SOLVER(() -> new Sgd(1), () -> null);

    private static final int STEPS = 20;
    private static final int STEPS_ON_A_SADDLE = 45; // two windows and some

    private static final int BATCH = 24;

    private final Supplier<IUpdater> updater;
    private final Supplier<TrainingListener> listener;

    Method(Supplier<IUpdater> updater, Supplier<TrainingListener> listener) {
        this.updater = updater;
        this.listener = listener;
    }

    private static IUpdater switched() {
        return FusePv.builder()
                .learningRate(1e-2)
                .switchCriterion(SwitchCriterion.iteration(4))
                .memory(3)
                .build();
    }

    static DataSet batch(int step, DataType type) {
        return TestNetworks.DENSE.batch(step % 5, BATCH, type);
    }

    int steps() {
        return this == SADDLE ? STEPS_ON_A_SADDLE : STEPS;
    }

    /** Returns the network before its first step. */
    MultiLayerNetwork network(DataType type) {
        MultiLayerNetwork network = TestNetworks.DENSE.network(updater.get(), type);
        Random random = new Random(TestNetworks.SEED);
        double[] weights = random.doubles(network.numParams(), -0.3, 0.3).toArray();
        if (this == SADDLE) {
            weights = new double[weights.length]; // a third-order saddle
        }
        network.setParams(Nd4j.createFromArray(weights).castTo(type).reshape(1, weights.length));
        listen(network);
        return network;
    }

    /** Attaches a new listener, as after loading. */
    void listen(MultiLayerNetwork network) {
        TrainingListener made = listener.get();
        if (made != null) {
            network.setListeners(made);
        }
    }

    /** Takes the steps; solvers ignore where they begin. */
    void train(MultiLayerNetwork network, int from, int to, DataType type) {
        switch (this) {
            case LBFGS_SOLVER ->
                LbfgsSolver.builder().maxIterations(STEPS).build().run(new NetworkObjective(network, batch(0, type)));
            case GEOMETRY_SOLVER -> {
                NetworkOutputs outputs = new NetworkOutputs(network, batch(0, type));
                GaussNewtonSolver.builder().maxIterations(3).build().run(outputs, outputs.loss());
            }
            default -> {
                for (int step = from; step < to; step++) {
                    network.fit(batch(step, type));
                }
            }
        }
    }

    /** Trains a new network to the end and returns its parameters. */
    double[] result(DataType type) {
        MultiLayerNetwork network = network(type);
        train(network, 0, steps(), type);
        return parameters(network);
    }

    static double[] parameters(MultiLayerNetwork network) {
        return network.params()
                .dup('c')
                .reshape(network.numParams())
                .castTo(DataType.DOUBLE)
                .toDoubleVector();
    }
}
