package io.github.dl4jfuse.network;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;

/** Dropout and weight noise that a layer had. */
public record StochasticLayers(
        org.deeplearning4j.nn.conf.layers.Layer layer, IDropout dropout, IWeightNoise weightNoise) {

    /** Takes a layer's noise away, and that of both directions of a bidirectional one; returns what is to be restored. */
    public static List<StochasticLayers> switchOff(Layer layer) {
        List<StochasticLayers> all = of(layer).toList();
        all.forEach(each -> each.set(null, null));
        return all;
    }

    /** Returns whether two evaluations of a layer on the same inputs differ in training. */
    public static boolean isNoisy(Layer layer) {
        return of(layer).anyMatch(noise -> noise.dropout != null || noise.weightNoise != null);
    }

    private static Stream<StochasticLayers> of(Layer layer) {
        org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
        return conf instanceof Bidirectional both
                ? Stream.of(both, both.getFwd(), both.getBwd()).map(StochasticLayers::of)
                : Stream.of(of(conf));
    }

    private static StochasticLayers of(org.deeplearning4j.nn.conf.layers.Layer conf) {
        return new StochasticLayers(
                conf, conf.getIDropout(), conf instanceof BaseLayer base ? base.getWeightNoise() : null);
    }

    /** Puts the noise back. */
    public void restore() {
        set(dropout, weightNoise);
    }

    private void set(IDropout newDropout, IWeightNoise newWeightNoise) {
        layer.setIDropout(newDropout);
        if (layer instanceof BaseLayer base) {
            base.setWeightNoise(newWeightNoise);
        }
    }
}
