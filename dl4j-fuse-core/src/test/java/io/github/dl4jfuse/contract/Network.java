package io.github.dl4jfuse.contract;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.IUpdater;

/** An entry of the catalogue: a name, a way to build the network, and what is to be expected of it. */
final class Network {

    /** The tables that the catalogue is printed in. */
    enum Group {
        LAYERS("Layers"),
        OPTIONS("Options"),
        LOSSES("Loss functions");

        final String title;

        Group(String title) {
            this.title = title;
        }
    }

    /** Why something cannot be done on a network, as a line of the log has to name it. */
    enum Cause {
        CLIPPING("gradient normalization", true),
        TRUNCATED("truncated backpropagation", true),
        OTHER_UPDATER("uses ", true),
        OTHER_ALGORITHM("optimizationAlgo", true),
        DECAY("weight decay", false),
        NOISE("dropout or weight noise", true),
        CONSTRAINTS("Constraint", true),
        OTHER_SETTINGS("with different settings", false),
        /** DL4J's derivative is NaN where its argument is large: docs/upstream.md. */
        NAN_DERIVATIVE("though its gradient is not", false),
        /** DL4J's gradient is not that of its loss: docs/upstream.md. */
        OTHER_GRADIENT("the loss does not fall as its gradient says", false),
        /** Losses swing far under steps of a measured length. */
        LONG_STEPS("or steps that are too long", false);

        final String words;

        /** Whether there is no L-BFGS on fixed batches because of it. */
        final boolean endsLbfgs;

        Cause(String words, boolean endsLbfgs) {
            this.words = words;
            this.endsLbfgs = endsLbfgs;
        }
    }

    /** Builds a network that is not a stack of layers. */
    interface Recipe {
        Model build(NeuralNetConfiguration.Builder builder, IUpdater updater);
    }

    /** Makes a batch that has more than one array of inputs or labels. */
    interface Batches {
        MultiDataSet batch(int index, long seed, DataType type);
    }

    private static final int TRUNCATED_LENGTH = 3;

    private final String name;
    private final Group group;
    private final Data data;
    private final Batches batches;
    private final Function<IUpdater, List<Layer>> layers;
    private final Recipe recipe;
    private final List<Consumer<NeuralNetConfiguration.Builder>> options = new ArrayList<>();
    private final List<Cause> causes = new ArrayList<>();
    private final List<Integer> frozen = new ArrayList<>();
    private boolean validated = true;
    private double stillness;
    private boolean floatOnly;
    private boolean layersOnly;

    private Network(
            String name,
            Group group,
            Data data,
            Batches batches,
            Function<IUpdater, List<Layer>> layers,
            Recipe recipe) {
        this.name = name;
        this.group = group;
        this.data = data;
        this.batches = batches;
        this.layers = layers;
        this.recipe = recipe;
    }

    /** Layers one after another; as a graph they are called layer0, layer1, .. */
    static Network stack(String name, Group group, Data data, Layer... layers) {
        return stack(name, group, data, updater -> List.of(layers));
    }

    /** The same where layers have updaters of their own. */
    static Network stack(String name, Group group, Data data, Function<IUpdater, List<Layer>> layers) {
        return new Network(name, group, data, data::batch, layers, null);
    }

    /** A network that is built by hand. */
    static Network made(String name, Group group, Batches batches, Recipe recipe) {
        return new Network(name, group, null, batches, null, recipe);
    }

    /** With an option of the whole network. */
    Network with(Consumer<NeuralNetConfiguration.Builder> option) {
        options.add(option);
        return this;
    }

    /** Says why there is no L-BFGS, or why updaters that need it refuse the network. */
    Network because(Cause... why) {
        causes.addAll(List.of(why));
        return this;
    }

    /** Says which layers must not move. */
    Network frozen(int... numbers) {
        for (int number : numbers) {
            frozen.add(number);
        }
        return this;
    }

    /** DL4J's own Adam moves parameters of rate 0 by its rounding. */
    Network nearly() {
        stillness = 1e-4;
        return this;
    }

    /** Returns how far what must not move may move, relative to the largest parameter at the start. */
    double stillness() {
        return stillness;
    }

    /** Switches off DL4J's check of activation and loss. */
    Network unchecked() {
        validated = false;
        return this;
    }

    /** Says that DL4J's own code for it knows no other type than float. */
    Network inFloat() {
        floatOnly = true;
        return this;
    }

    /** Says that DL4J's graph of it fails where batches differ in size. */
    Network inLayers() {
        layersOnly = true;
        return this;
    }

    String name() {
        return name;
    }

    Group group() {
        return group;
    }

    List<Cause> causes() {
        return causes;
    }

    List<Integer> frozen() {
        return frozen;
    }

    /** Returns whether the network comes as layers and as a graph. */
    boolean isStack() {
        return recipe == null;
    }

    /** Returns the forms that the network can be made in, the plain one first. */
    List<Form> forms() {
        return Form.ALL.stream()
                .filter(form -> form.graph() ? !layersOnly : isStack())
                .filter(form -> form.type() == DataType.FLOAT || !floatOnly)
                .toList();
    }

    MultiDataSet batch(int index, long seed, DataType type) {
        return batches.batch(index, seed, type);
    }

    Model build(IUpdater updater, Form form, long seed) {
        var builder = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .dataType(form.type())
                .updater(updater)
                .activation(Activation.TANH)
                .trainingWorkspaceMode(form.workspaces());
        options.forEach(option -> option.accept(builder));
        Model model = recipe != null ? recipe.build(builder, updater) : stack(builder, updater, form.graph());
        model.init();
        return model;
    }

    private Model stack(NeuralNetConfiguration.Builder builder, IUpdater updater, boolean graph) {
        List<Layer> copies = layers.apply(updater).stream().map(Network::copy).toList();
        boolean truncated = causes.contains(Cause.TRUNCATED);
        if (!graph) {
            var list = builder.list(copies.toArray(Layer[]::new))
                    .setInputType(data.type())
                    .validateOutputLayerConfig(validated);
            if (truncated) {
                list.backpropType(BackpropType.TruncatedBPTT).tBPTTLength(TRUNCATED_LENGTH);
            }
            return new MultiLayerNetwork(list.build());
        }
        var built = builder.graphBuilder()
                .addInputs("in")
                .setInputTypes(data.type())
                .validateOutputLayerConfig(validated);
        String before = "in";
        for (int i = 0; i < copies.size(); i++) {
            built.addLayer("layer" + i, copies.get(i), before);
            before = "layer" + i;
        }
        if (truncated) {
            built.backpropType(BackpropType.TruncatedBPTT).tBPTTLength(TRUNCATED_LENGTH);
        }
        return new ComputationGraph(built.setOutputs(before).build());
    }

    /** Layer.clone shares what a wrapper wraps, and DL4J writes the updater into that. */
    private static Layer copy(Layer layer) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(layer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (Layer) in.readObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
