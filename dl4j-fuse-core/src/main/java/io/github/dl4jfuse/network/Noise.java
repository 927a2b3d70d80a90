package io.github.dl4jfuse.network;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;

/** Dropout and weight noise that a layer had. */
record Noise(org.deeplearning4j.nn.conf.layers.Layer layer, IDropout dropout, IWeightNoise weightNoise) {

    /** Takes a layer's noise away, and that of both directions of a bidirectional one; returns what is to be restored. */
    static List<Noise> switchOff(Layer layer) {
        List<Noise> all = of(layer).toList();
        all.forEach(each -> each.set(null, null));
        return all;
    }

    static boolean isNoisy(Layer layer) {
        return of(layer).anyMatch(noise -> noise.dropout != null || noise.weightNoise != null);
    }

    private static Stream<Noise> of(Layer layer) {
        org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
        return conf instanceof Bidirectional both
                ? Stream.of(both, both.getFwd(), both.getBwd()).map(Noise::of)
                : Stream.of(of(conf));
    }

    private static Noise of(org.deeplearning4j.nn.conf.layers.Layer conf) {
        return new Noise(conf, conf.getIDropout(), conf instanceof BaseLayer base ? base.getWeightNoise() : null);
    }

    void restore() {
        set(dropout, weightNoise);
    }

    private void set(IDropout newDropout, IWeightNoise newWeightNoise) {
        layer.setIDropout(newDropout);
        if (layer instanceof BaseLayer base) {
            base.setWeightNoise(newWeightNoise);
        }
    }
}
