package io.github.dl4jfuse.network;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;

/** Dropout and weight noise that a layer had. */
record Noise(org.deeplearning4j.nn.conf.layers.Layer layer, IDropout dropout, IWeightNoise weightNoise) {

    static Noise switchOff(Layer layer) {
        org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
        Noise noise =
                new Noise(conf, conf.getIDropout(), conf instanceof BaseLayer base ? base.getWeightNoise() : null);
        conf.setIDropout(null);
        if (conf instanceof BaseLayer base) {
            base.setWeightNoise(null);
        }
        return noise;
    }

    static boolean isNoisy(Layer layer) {
        org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
        return conf.getIDropout() != null || (conf instanceof BaseLayer base && base.getWeightNoise() != null);
    }

    void restore() {
        layer.setIDropout(dropout);
        if (layer instanceof BaseLayer base) {
            base.setWeightNoise(weightNoise);
        }
    }
}
