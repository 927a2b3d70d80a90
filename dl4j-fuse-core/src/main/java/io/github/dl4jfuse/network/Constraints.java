package io.github.dl4jfuse.network;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.constraint.MinMaxNormConstraint;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;

/** A network's weight constraints, which DL4J applies at the end of each step. */
public final class Constraints {

    private Constraints() {}

    private static Stream<LayerConstraint> of(Layer layer) {
        return NetworkParameter.isFrozen(layer)
                ? Stream.empty()
                : of(layer.conf().getLayer());
    }

    private static Stream<LayerConstraint> of(org.deeplearning4j.nn.conf.layers.Layer conf) {
        List<LayerConstraint> own = conf.getConstraints();
        Stream<LayerConstraint> all = own == null ? Stream.empty() : own.stream();
        return conf instanceof Bidirectional both
                ? Stream.concat(all, Stream.of(both.getFwd(), both.getBwd()).flatMap(Constraints::of))
                : all;
    }

    /** Returns whether there are any that act. */
    public static boolean anyOf(Model model) {
        return Dl4jModel.of(model).layers().stream()
                .flatMap(Constraints::of)
                .findAny()
                .isPresent();
    }

    /** Returns whether some constraint goes only part of the way each time, so that it never is fulfilled. */
    public static boolean anyPartial(Model model) {
        return Dl4jModel.of(model).layers().stream()
                .flatMap(Constraints::of)
                .anyMatch(each -> each instanceof MinMaxNormConstraint norm && norm.getRate() != 1);
    }

    /** Throws an IllegalStateException with a sentence if there are any, for those who move all parameters freely. */
    public static void requireNone(Model model) {
        for (Layer layer : Dl4jModel.of(model).layers()) {
            of(layer).findAny().ifPresent(constraint -> {
                throw new IllegalStateException("Layer \""
                        + layer.conf().getLayer().getLayerName() + "\" has a "
                        + constraint.getClass().getSimpleName()
                        + ", of which this solver knows nothing: what it finds would break it. Train with fit(..), which"
                        + " keeps constraints, or remove them.");
            });
        }
    }
}
