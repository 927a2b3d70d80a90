package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.Surroundings;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network that a listener works for: one and the same at all times, in which no other listener has a say in the steps.
 *
 * <p>Workers of a ParallelWrapper train replicas of the network in threads of their own, with one listener for all. Where
 * they average (AVERAGING), a listener may have another of its kind at work for each further replica. Where they share
 * gradients, an exception in one worker would leave the others waiting for ever: there the listener does nothing, and says so.
 *
 * @param <L> the kind of listener
 */
final class OneNetwork<L extends TrainingListener> {

    private static final String CLONE =
            " ComputationGraph.clone() gives the copy the very list of listeners of the original, so that setListeners(..) on"
                    + " either is for both: make the copy by saving and restoring the graph (ModelSerializer).";

    private static final Logger log = LoggerFactory.getLogger(OneNetwork.class);

    private final L self;
    private final L listed;
    private final Supplier<L> forReplicas;
    private final ThreadLocal<L> ofThread = new ThreadLocal<>();
    private final ThreadLocal<Model> modelOfThread = new ThreadLocal<>();
    private Model model;
    private Thread thread;
    private boolean replicated;
    private boolean saidThatGradientsAreShared;

    /** Of a listener that refuses every second network. */
    OneNetwork(L self) {
        this(self, self, null);
    }

    /**
     * With others at work for replicas.
     *
     * @param listed the listener that DL4J knows: itself, or the one that it works for
     * @param forReplicas makes the listener of a replica; null refuses them
     */
    OneNetwork(L self, L listed, Supplier<L> forReplicas) {
        this.self = self;
        this.listed = listed;
        this.forReplicas = forReplicas;
    }

    /**
     * Returns who has to work for a model: the listener itself, the one of a replica, or null if nobody.
     *
     * @throws IllegalStateException if this listener or another of ours works for another network or has a say in this one
     */
    synchronized L responsibleFor(Model current) {
        if (Surroundings.isLayer(current)) {
            return null;
        }
        if (Surroundings.sharesGradients(current)) {
            sayOnceThatGradientsAreShared();
            Surroundings.excuseNextStep(current);
            return null;
        }
        refuseOthers(current);
        if (model == null) {
            model = current;
            thread = Thread.currentThread();
        }
        if (model == current) {
            return self;
        }
        if (Surroundings.haveOneListOfListeners(model, current)) {
            throw new IllegalStateException(oneEach() + CLONE);
        }
        if (thread == Thread.currentThread()) {
            throw new IllegalStateException(oneEach());
        }
        if (forReplicas == null) {
            throw new IllegalStateException(refusesReplicas());
        }
        replicated = true;
        if (modelOfThread.get() != current) {
            modelOfThread.set(current);
            ofThread.set(forReplicas.get());
        }
        return ofThread.get();
    }

    /** Returns whether other threads train further networks with this listener. */
    synchronized boolean isReplicated() {
        return replicated;
    }

    /** Returns the sentence for what cannot be averaged. */
    String refusesReplicas() {
        return oneEach()
                + " With ParallelWrapper and Spark, which average parameters and updater state of several replicas, only"
                + " Preconditioned with its default rule or a rule of DL4J's has a CurvatureListener: use that, or train without the"
                + " listener or on one device.";
    }

    private String oneEach() {
        String name = name(self);
        return "A" + (name.startsWith("Lf") ? "n " : " ") + name + " belongs to one network, and this one has seen"
                + " another: give each network its own new " + name + "(..).";
    }

    private static String name(TrainingListener listener) {
        return listener.getClass().getSimpleName();
    }

    @SuppressWarnings("ReferenceEquality") // a second one of the same kind is the fault
    private void refuseOthers(Model current) {
        if (!(self instanceof Steering)) {
            return;
        }
        List<TrainingListener> steering = Surroundings.listeners(current).stream()
                .filter(Steering.class::isInstance)
                .toList();
        if (steering.size() > 1) {
            throw new IllegalStateException("Several listeners of this network have a say in its steps ("
                    + String.join(", ", steering.stream().map(OneNetwork::name).toList())
                    + "), and each would take for its own what another does to gradient and parameters: keep one of them,"
                    + " by net.setListeners(..), which replaces all that are there.");
        }
        if (steering.size() == 1 && steering.get(0) != listed) {
            throw new IllegalStateException(
                    oneEach() + " The list of this one has another " + name(steering.get(0)) + " instead." + CLONE);
        }
    }

    private void sayOnceThatGradientsAreShared() {
        if (!saidThatGradientsAreShared) {
            saidThatGradientsAreShared = true;
            log.warn(
                    "The {} does nothing here: the workers share their gradients (ParallelWrapper's SHARED_GRADIENTS, or Spark's"
                            + " gradient sharing), so that the update of a step is not that of its batch. The updater alone"
                            + " trains: Preconditioned by its rule, FusePv and Fuse as plain Adam, Lfso with its first guess. With"
                            + " TrainingMode.AVERAGING, Preconditioned has its metric. Said once.",
                    name(self));
        }
    }
}
